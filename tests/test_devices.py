"""Devices: what there is, what is missing, several at a time, and too little memory."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from evoart.cli.app import run
from evoart.cli.failure import explain
from evoart.engine import jax_setup, memory
from evoart.engine.dense import DenseEngine
from evoart.errors import EvoartError, UsageError
from evoart.forms.shapes import ShapesForm
from evoart.run import device, distributed, nvidia
from evoart.run.fit.engine import choose
from evoart.run.fit.job import FitJob
from evoart.run.job import JOBS
from evoart.score.pixel import Target
from evoart.search.classical import Classical
from evoart.search.program import Program

# -- a machine made of files ------------------------------------------------------------------------------------------


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A file system without a driver; what is installed is told by a dictionary."""
    installed = {"jaxlib": "0.10.2"}
    monkeypatch.setattr(nvidia, "ROOT", tmp_path)
    monkeypatch.setattr(nvidia, "_ask_tool", lambda: None)
    monkeypatch.setattr(nvidia, "_version", lambda name: installed.get(name, ""))
    monkeypatch.setattr(device, "accelerator", lambda: None)
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    return tmp_path, installed


def plug_in(root, driver="580.95.05", name="NVIDIA H200"):
    place = root / "proc/driver/nvidia"
    (place / "gpus/0000:17:00.0").mkdir(parents=True)
    (place / "version").write_text(
        f"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {driver}  Release Build  (root@x)  Tue Sep 23 2025\n"
        "GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)\n"
    )
    (place / "gpus/0000:17:00.0/information").write_text(f"Model: \t\t {name}\nIRQ:   \t\t 16\nGPU UUID: \t GPU-0\n")


def refused(**options):
    with pytest.raises(EvoartError) as caught:
        choose(FitJob.make(search="sets", **options))
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_no_gpu(machine):
    assert nvidia.card() is None
    assert nvidia.wheel() == ""
    assert "there is no GPU" in refused(device="gpu")
    assert "there is no GPU" in refused(engine="pallas")
    choice = choose(FitJob.make(search="sets"))
    assert (choice.engine, choice.note) == ("scanline", "")


def test_a_card_next_to_a_jax_without_cuda(machine):
    plug_in(machine[0])
    assert nvidia.card() == nvidia.Card("NVIDIA H200", "580.95.05")
    message = refused(device="gpu")
    assert "without CUDA next to an NVIDIA H200" in message
    assert 'pip install "evoart[cuda]"' in message
    choice = choose(FitJob.make(search="sets"))
    assert choice.engine == "scanline"
    assert 'pip install "evoart[cuda]"' in choice.note
    assert choose(FitJob.make()).note == ""  # the default search has no use for it
    assert nvidia.wheel().startswith("missing")


def test_a_driver_that_is_too_old(machine):
    root, installed = machine
    plug_in(root, "470.256.02")
    installed["jax-cuda12-plugin"] = "0.10.2"
    message = refused(device="gpu")
    assert "470.256.02 is too old for CUDA 12, which needs 525" in message
    assert "--device cpu" in message


def test_what_else_may_be_wrong(machine, monkeypatch):
    root, installed = machine
    plug_in(root)
    installed["jax-cuda13-plugin"] = "0.9.1"
    assert "jax-cuda13-plugin 0.9.1 does not fit jaxlib 0.10.2" in refused(device="gpu")
    installed["jax-cuda13-plugin"] = "0.10.2"
    assert "JAX does not see the NVIDIA H200" in refused(device="gpu")
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    assert "JAX_PLATFORMS=cpu hides" in refused(device="gpu")
    assert choose(FitJob.make(search="sets")).note == ""  # who sets it wants it so


def test_a_card_known_to_the_tool_only(machine, monkeypatch, tmp_path):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA GeForce RTX 4090, 550.54.14'\n")
    tool.chmod(0o755)
    monkeypatch.undo()
    monkeypatch.setattr(nvidia, "ROOT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert nvidia.card() == nvidia.Card("NVIDIA GeForce RTX 4090", "550.54.14")
    tool.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed' >&2\nexit 9\n")
    assert nvidia.card() is None


def test_a_gpu_gets_the_kernels(monkeypatch):
    monkeypatch.setattr(device, "accelerator", lambda: "NVIDIA H200")
    monkeypatch.setattr(device, "has_kernels", lambda: True)
    assert choose(FitJob.make(search="sets")).engine == "pallas"
    assert choose(FitJob.make(search="sets", engine="dense")).engine == "dense"
    assert choose(FitJob.make()).engine == "scanline"
    assert choose(FitJob.make(device="gpu")) == device.Choice("dense", "NVIDIA H200", "asked for")
    monkeypatch.setattr(device, "has_kernels", lambda: False)
    choice = choose(FitJob.make(search="sets", device="gpu"))
    assert choice.engine == "dense"
    assert "no Pallas" in choice.why
    with pytest.raises(EvoartError, match="--engine dense"):
        choose(FitJob.make(search="sets", engine="pallas"))
    with pytest.raises(UsageError, match="scanline engine runs on a CPU"):
        choose(FitJob.make(search="sets", engine="scanline", device="gpu"))


def test_doctor_tells_what_is_there_and_what_is_missing(machine, capsys):
    def said():
        assert run(["doctor", "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    assert said()["gpu"] == {"card": "none found", "used by JAX": "none"}
    plug_in(machine[0])
    facts = said()
    assert facts["gpu"]["card"] == "NVIDIA H200, driver 580.95.05"
    assert facts["gpu"]["JAX's CUDA"] == 'missing; install it with: pip install "evoart[cuda]"'
    assert "without CUDA next to an NVIDIA H200" in facts["gpu"]["used by JAX"]
    assert facts["engines"]["fit"] == "scanline on cpu (fastest on a CPU)"
    assert set(JOBS) <= {words.split()[0] for words in facts["engines"]}


# -- memory -----------------------------------------------------------------------------------------------------------


def problem():
    form = ShapesForm(("triangle",) * 6, 1.0, 1.0, (0.5, 0.5, 0.5))
    target = Target(np.random.default_rng(0).random((24, 24, 3), np.float32), np.ones((24, 24), np.float32))
    return DenseEngine(form, target), form.random(np.random.default_rng(1))


class Small:
    """A device that holds so many candidates at a time: its compiled programs fail as JAX's do."""

    def __init__(self, monkeypatch, engine, room):
        jit = jax.jit

        def compiled(function, **how):
            ready, batch = jit(function, **how), engine.batch

            def call(*arrays):
                if batch > room:
                    raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 GiB")
                return ready(*arrays)

            return call

        monkeypatch.setattr("evoart.search.program.jax.jit", compiled)


def test_too_little_memory_halves_the_parts_and_says_so(monkeypatch):
    engine, start = problem()
    whole = Classical(engine, "snes", 20, 0, start)
    whole.step()
    engine, start = problem()
    before = engine.batch
    with monkeypatch.context() as patch:
        search = Classical(engine, "snes", 20, 0, start)
        Small(patch, engine, room=before // 4)
        search._program = Program(engine, search.run_traced)
        search.step()
    assert engine.batch == before // 4
    assert len(search.notes) == 2
    assert "device ran out of memory" in search.notes[0]
    assert search.generation == whole.generation
    assert search.loss == pytest.approx(whole.loss, rel=1e-5)


def test_no_memory_at_all_is_one_line(monkeypatch):
    engine, start = problem()
    search = Classical(engine, "snes", 20, 0, start)
    Small(monkeypatch, engine, room=0)
    search._program = Program(engine, search.run_traced)
    with pytest.raises(EvoartError, match="does not have enough memory"):
        search.step()


def test_memory_that_runs_out_elsewhere_is_one_line_too(capsys):
    class OutOfMemoryError(RuntimeError):
        """As torch calls its own."""

    error = jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 GiB")
    assert explain(error, ["fit"]) == 1
    assert capsys.readouterr().err == (
        "Error: the device ran out of memory. Use fewer shapes, fewer --pixels, a smaller --size or --device cpu.\n"
    )
    called = jax.errors.JaxRuntimeError("INTERNAL: CpuCallback error: OutOfMemoryError: CUDA out of memory")
    for each in (error, called, MemoryError(), OutOfMemoryError("CUDA out of memory")):
        assert explain(each, ["clip"]) == 1
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "memory" in said
        assert "Use a smaller --model, fewer --crops, a smaller --population, --precision bfloat16" in said
    assert explain(RuntimeError("something else"), ["clip"]) == 1
    assert "bug" in capsys.readouterr().err


def test_memory_is_not_taken_whole_unless_the_user_wants_it(monkeypatch):
    for wanted, found in ((None, "false"), ("true", "true")):
        monkeypatch.delenv("XLA_PYTHON_CLIENT_PREALLOCATE", raising=False)
        if wanted:
            monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", wanted)
        jax_setup.setup.cache_clear()
        jax_setup.setup()
        assert os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] == found


def test_parts_are_made_to_fit(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 8 * 2**30)
    assert memory.candidates_within(2**20) == 2048
    assert memory.candidates_within(2**40) == 1
    monkeypatch.setattr(memory, "free_bytes", lambda: 0)
    assert memory.candidates_within(2**20) == 1
    assert memory.numbers_within(64) == 2**18


# -- several devices --------------------------------------------------------------------------------------------------

FIT = ["fit", "--engine", "dense", "--device", "cpu", "-n", "6", "--pixels", "32", "--seed", "3", "--json", "-q"]


def start(folder, *options, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "evoart", *FIT, *options],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outcome(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return json.loads(out) if out else None


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """What one process on one device makes of it."""
    folder = tmp_path_factory.mktemp("alone")
    facts = outcome(start(folder, "--search", "regional", "--generations", "12", "-o", "one.png"))
    return facts, hashlib.sha256((folder / "one.png").read_bytes()).hexdigest()


@pytest.mark.parametrize("search", ["regional"])
def test_two_devices_find_the_same_picture(tmp_path, alone, search):
    flags = "--xla_force_host_platform_device_count=2"
    two = start(tmp_path, "--search", search, "--generations", "12", "-o", "one.png", XLA_FLAGS=flags)
    assert outcome(two)["loss"] == alone[0]["loss"]
    assert hashlib.sha256((tmp_path / "one.png").read_bytes()).hexdigest() == alone[1]


@pytest.mark.slow
def test_devices_share_what_clip_looks_at_and_find_the_same_picture(tmp_path):
    words = ["a red circle", "--model", "tiny", "--form", "cppn", "--search", "classical", "--population", "12"]
    more = ["--generations", "4", "--seed", "3", "--device", "cpu", "-q"]
    for n in (1, 2, 3):
        flags = f"--xla_force_host_platform_device_count={n}"
        subprocess.run(
            [sys.executable, "-m", "evoart", "clip", *words, *more, "-o", f"{n}.png"],
            cwd=tmp_path, env={**os.environ, "XLA_FLAGS": flags}, check=True, capture_output=True, timeout=300,
        )  # fmt: skip
    assert len({hashlib.sha256((tmp_path / f"{n}.png").read_bytes()).hexdigest() for n in (1, 2, 3)}) == 1


def test_two_processes_find_the_same_picture_and_one_writes_it(tmp_path, alone):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    where = {"JAX_COORDINATOR_ADDRESS": f"127.0.0.1:{port}", "JAX_NUM_PROCESSES": "2"}
    options = ("--search", "regional", "--generations", "12", "--distributed", "-o", "one.png")
    both = [start(tmp_path, *options, **where, JAX_PROCESS_ID=str(i)) for i in range(2)]
    first, second = (outcome(process) for process in both)
    assert second is None
    assert first["loss"] == alone[0]["loss"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.png"]
    assert hashlib.sha256((tmp_path / "one.png").read_bytes()).hexdigest() == alone[1]


def test_the_default_search_is_not_shared(monkeypatch):
    monkeypatch.setattr(distributed, "_joined", True)
    with pytest.raises(UsageError, match="--search sets"):
        choose(FitJob.make())
    assert choose(FitJob.make(search="sets")).engine == "dense"


def test_processes_that_nobody_tells_of_one_another(monkeypatch):
    for name in (*distributed.VARIABLES, "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES, JAX_PROCESS_ID not set"):
        distributed.join()
    monkeypatch.setenv("JAX_COORDINATOR_ADDRESS", "127.0.0.1:1")
    with pytest.raises(UsageError, match=r"\(JAX_NUM_PROCESSES, JAX_PROCESS_ID not set\)"):
        distributed.join()
    assert not distributed.active()
    assert distributed.agree("time", None) == ("time", None)


@pytest.mark.slow
@pytest.mark.parametrize("table", ["lowering", "times"])
def test_the_benchmark_runs_where_there_is_no_gpu(tmp_path, monkeypatch, capsys, table):
    """Two of its six tables, the quick ones, in their small version."""
    folder = Path(__file__).parents[1] / "benchmarks"
    monkeypatch.syspath_prepend(str(folder))
    gpu = importlib.import_module("gpu")
    monkeypatch.setattr(gpu.common, "RESULTS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--tiny", "--only", table])
    gpu.main()
    assert f"{table}: " in capsys.readouterr().out
    (written,) = tmp_path.glob("*.csv")
    rows = written.read_text().splitlines()
    assert len(rows) > 4
    assert "fails" not in written.read_text()

    def broken():
        yield {"a": 1}
        raise ValueError("no such thing\nand more")

    said = gpu.write(broken, "gpu-broken", float("inf"))
    assert said == "failed after 1 rows: ValueError: no such thing"
    assert (tmp_path / "gpu-broken.csv").read_text() == "a\n1\n"
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    with pytest.raises(SystemExit, match="there is no GPU here: use --tiny"):
        gpu.main()
