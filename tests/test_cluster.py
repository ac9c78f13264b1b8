"""Galleries on a Ray cluster of two nodes on this machine, one of which is killed. Skipped without the extra."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest
from conftest import scenery
from PIL import Image

from evoart.cli.app import run as evoart_command

there = importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(not there, reason='Ray is not installed: pip install "evoart[cluster]"')

# A process of its own: Ray's warnings are not ours, and its threads outlive a test.
PROGRAM = """
import json, sys, threading
from pathlib import Path
from ray.cluster_utils import Cluster
from evoart.gallery import cluster as clusters, journal, plan, run
from evoart.gallery import worker
from evoart.run.stop import Stop

shared = sys.argv[1] == "shared"
nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
victim = nodes.add_node(num_cpus=1)
nodes.wait_for_nodes()
folder = Path("out")
run.prepare_folder(folder)
entries = plan.read(["jobs.toml"])
if not shared:
    clusters._shares = lambda folder, token: False
    import ray.cloudpickle
    ray.cloudpickle.register_pickle_by_value(clusters)
killed = []

def workers(todo):
    for i, report in enumerate(clusters.on_cluster(todo, folder, worker.Settings(), Stop(), nodes.address)):
        if i == 2:
            nodes.remove_node(victim, allow_graceful=False)
            killed.append(i)
        yield report

lines = [line.name for _, line in run.run(entries, folder, workers) if line.status == "done"]
raw = [json.loads(text)["name"] for text in (folder / journal.NAME).read_text().splitlines()]
pictures = sorted(path.stem for path in folder.glob("*.svg"))
nodes.shutdown()
asked = [entry.name for entry in entries]
print(json.dumps({"asked": asked, "lines": lines, "raw": raw, "pictures": pictures, "killed": killed}))
"""


@needs_ray
@pytest.mark.slow
@pytest.mark.parametrize("how", ["shared", "returned"])
def test_a_node_is_killed_and_nothing_is_lost_or_done_twice(tmp_path, how):
    Image.fromarray((scenery(32, 48) * 255).astype(np.uint8)).save(tmp_path / "sea.png")
    job = (
        '[[job]]\npicture="sea.png"\nseeds=10\npixels=24\nshapes=4\nquality="draft"\nsearch="sets"\nevaluations=3000\n'
    )
    (tmp_path / "jobs.toml").write_text(job)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    facts = json.loads(done.stdout.splitlines()[-1])
    assert facts["killed"]
    assert sorted(facts["asked"]) == sorted(facts["lines"]) == sorted(facts["raw"]) == facts["pictures"]


@pytest.mark.skipif(there, reason="Ray is installed")
def test_without_ray_one_line_says_what_to_install(tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (20, 20)).save("a.png")
    assert evoart_command(["gallery", "a.png", "--ray", "auto"]) == 1
    assert 'pip install "evoart[cluster]"' in capfd.readouterr().err


@needs_ray
@pytest.mark.slow
def test_no_cluster_at_that_address(tmp_path):
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    words = [sys.executable, "-m", "evoart", "gallery", "a.png", "--ray", "127.0.0.1:1"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1].startswith("Error: there is no Ray cluster at '127.0.0.1:1'")
