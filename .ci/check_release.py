"""Check what is about to be released: ``python .ci/check_release.py dist v0.2.0``.

The version is that of the tag and has a heading in the changelog; the wheel has every file of the package, weights and
notices among them, and is small enough to install in a minute.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

MOST = 20_000_000  # bytes of the wheel
ROOT = Path(__file__).resolve().parents[1]
DATA = (".safetensors", ".npz", ".json", ".txt", ".md", ".jpg", ".js", ".css", ".html", ".typed")


def find_faults(wheel: Path, version: str) -> list[str]:
    """What is wrong with a wheel, a line each."""
    faults = []
    if f"-{version}-" not in wheel.name:
        faults.append(f"{wheel.name} is not version {version}")
    if wheel.stat().st_size > MOST:
        faults.append(f"{wheel.name} has {wheel.stat().st_size:,} bytes, more than {MOST:,}")
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    package = ROOT / "evoart"
    wanted = {file.relative_to(ROOT).as_posix() for file in package.rglob("*") if file.suffix in (".py", *DATA)}
    faults.extend(f"{name} is not in the wheel" for name in sorted(wanted - packed))
    notices = {Path(name).name for name in packed if ".dist-info/licenses/" in name}
    faults.extend(f"{name} is not among the licences" for name in sorted({"LICENSE", "NOTICE.md"} - notices))
    if f"## {version}" not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        faults.append(f"CHANGELOG.md has no heading '## {version}'")
    return faults


def main() -> int:
    """Print the faults; 1 where there are any."""
    folder, tag = sys.argv[1:]
    (wheel,) = Path(folder).glob("*.whl")
    faults = find_faults(wheel, tag.removeprefix("v"))
    print("\n".join(faults) or f"{wheel.name} is ready")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
