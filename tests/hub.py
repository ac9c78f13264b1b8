"""A Hugging Face hub on this machine: repositories of random weights in the layouts that are published, and its faults.

It answers as the real one does: a large file by a redirection to another address (another host for whoever minds, as
``localhost`` and ``127.0.0.1`` differ) whose headers state size and SHA-256; errors with their codes.
"""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import threading
from dataclasses import dataclass, field

import numpy as np

from evoart.openclip.config import ClipConfig, parse
from evoart.openclip.untrained import untrained

ACCOUNT = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"  # the default model's


@dataclass
class Hub(http.server.ThreadingHTTPServer):
    """A server of files.

    Attributes:
        files: content by ``OWNER/REPOSITORY/NAME``.
        hashes: SHA-256 to state instead of the true ones.
        states: whether hashes are stated in headers; ``pointers``: whether Git LFS pointers state them.
        faults: codes to answer with before anything else, one for each request; ``fault_headers`` go with them.
        moved: the new address of a repository by its old one.
        web_page: answer everything with a login page, as some networks do.
        asked: method, path and token of every request.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    states: bool = True
    pointers: bool = True
    faults: list[int] = field(default_factory=list)
    fault_headers: dict[str, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    web_page: bool = False
    asked: list[tuple[str, str | None, str]] = field(default_factory=list)

    def __post_init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)

    __hash__ = object.__hash__

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        hub: Hub = self.server  # type: ignore[assignment]
        path = self.path.lstrip("/")
        hub.asked.append((path, self.headers.get("Authorization"), self.headers.get("Host", "").partition(":")[0]))
        if hub.web_page:
            return self._send(200, b"<!DOCTYPE html><title>Log in</title>", {"Content-Type": "text/html"})
        if hub.faults:
            return self._send(hub.faults.pop(0), b"no", hub.fault_headers)
        place, _, name = path.partition("/resolve/main/") if "/resolve/" in path else path.partition("/raw/main/")
        if place in hub.moved:
            return self._send(307, b"", {"Location": f"{hub.url}/{path.replace(place, hub.moved[place])}"})
        key = path.removeprefix("cdn/") if path.startswith("cdn/") else f"{place}/{name}"
        if key not in hub.files:
            return self._send(404, b"Entry not found", {"X-Error-Code": "EntryNotFound"})
        content = hub.files[key]
        digest = hub.hashes.get(key, hashlib.sha256(content).hexdigest())
        if "/raw/" in path:
            pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"
            return self._send(200, pointer.encode()) if hub.pointers else self._send(404, b"")
        if path.startswith("cdn/"):
            first = self.headers.get("Range", "bytes=0-")[6:-1]
            part = content[int(first) :]
            headers = {"Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}", "ETag": '"cdn"'}
            return self._send(206, part, headers) if first != "0" else self._send(200, part, {"ETag": '"cdn"'})
        stated = {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(content))} if hub.states else {}
        return self._send(302, b"", stated | {"Location": f"http://localhost:{hub.server_port}/cdn/{key}"})

    def _send(self, code, body, headers=None):
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


# Random weights of one model, in every layout that is published.


def small_state(config, seed=0):
    """Weights whose norms and biases are not the identity, so that a mistaken name shows."""
    rng = np.random.default_rng(seed)
    return {
        name: value if name == "logit_scale" else (value + 0.1 * rng.standard_normal(value.shape)).astype(np.float32)
        for name, value in untrained(config, seed).items()
    }


def as_transformers(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Weights by the names of transformers' ``CLIPModel``."""
    out = {}
    for name, value in state.items():
        tower = "vision_model" if name.startswith("visual.") else "text_model"
        part = name.removeprefix("visual.")
        if part.startswith("transformer.resblocks."):
            _, _, number, rest = part.split(".", 3)
            place = f"{tower}.encoder.layers.{number}"
            if rest.startswith("attn.in_proj"):
                kind = rest.rpartition("_")[2]
                for letter, third in zip("qkv", np.split(value, 3), strict=True):
                    out[f"{place}.self_attn.{letter}_proj.{kind}"] = third
                continue
            for theirs, ours in (
                ("attn", "self_attn"), ("ln_1", "layer_norm1"), ("ln_2", "layer_norm2"), ("mlp.c_fc", "mlp.fc1"),
                ("mlp.c_proj", "mlp.fc2"),
            ):  # fmt: skip
                if rest.startswith(theirs):
                    out[f"{place}.{ours}{rest.removeprefix(theirs)}"] = value
            continue
        new = {
            "class_embedding": f"{tower}.embeddings.class_embedding",
            "conv1.weight": f"{tower}.embeddings.patch_embedding.weight",
            "positional_embedding": f"{tower}.embeddings.position_embedding.weight",
            "token_embedding.weight": f"{tower}.embeddings.token_embedding.weight",
            "ln_pre.weight": f"{tower}.pre_layrnorm.weight",
            "ln_pre.bias": f"{tower}.pre_layrnorm.bias",
            "ln_post.weight": f"{tower}.post_layernorm.weight",
            "ln_post.bias": f"{tower}.post_layernorm.bias",
            "ln_final.weight": f"{tower}.final_layer_norm.weight",
            "ln_final.bias": f"{tower}.final_layer_norm.bias",
            "proj": "visual_projection.weight",
            "text_projection": "text_projection.weight",
            "logit_scale": "logit_scale",
        }[part]
        out[new] = np.ascontiguousarray(value.T) if part in ("proj", "text_projection") else value
    for tower, length in (("vision_model", 5), ("text_model", 77)):  # as old versions wrote them
        out[f"{tower}.embeddings.position_ids"] = np.arange(length)[None]
    return out


def as_custom_text(state):
    """Weights by the names of open_clip's ``CustomTextCLIP``."""
    alone = ("logit_scale", "visual.")
    return {name if name.startswith(alone) else f"text.{name}": value for name, value in state.items()}


def as_distributed(state):
    """Weights as ``DistributedDataParallel`` names them."""
    return {f"module.{name}": value for name, value in state.items()}


def as_timm(state):
    """An image tower alone, as timm publishes it next to open_clip's file."""
    return {
        "cls_token": state["visual.class_embedding"][None],
        "blocks.0.attn.qkv.weight": np.zeros((6, 2), np.float32),
    }


def safetensors_bytes(state: dict[str, np.ndarray]) -> bytes:
    """A file of the safetensors format, written here by itself: nothing of evoart's."""
    header, data = {}, io.BytesIO()
    for name, value in state.items():
        first = data.tell()
        data.write(np.ascontiguousarray(value).tobytes())
        kind = {"float32": "F32", "int64": "I64", "float16": "F16"}[str(value.dtype)]
        header[name] = {"dtype": kind, "shape": list(value.shape), "data_offsets": [first, data.tell()]}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data.getvalue()


def torch_bytes(state: dict[str, np.ndarray]) -> bytes:
    """A file as ``torch.save`` writes it."""
    import torch

    file = io.BytesIO()
    torch.save({name: torch.from_numpy(np.array(value)) for name, value in state.items()}, file)
    return file.getvalue()


def merges_bytes() -> bytes:
    """A list of byte pairs of the right length: no words of any language, but one that can be read."""
    letters = [chr(i) for i in range(ord("a"), ord("z") + 1)]
    pairs = [f"{a}{b} {c}" for a in letters for b in letters for c in letters]
    pairs = (pairs * 3)[:48894]
    return ("#version: 0.2\n" + "\n".join(pairs) + "\n").encode()


def config_of(plain) -> ClipConfig:
    """open_clip's configuration, parsed."""
    return parse(plain)
