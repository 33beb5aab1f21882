"""Runs clang-tidy on every translation unit with the include paths of the build, one per core."""

import os
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import pybind11  # noqa: E402

from setup import eigen_include  # noqa: E402


def tidy(source: Path) -> tuple[int, str]:
    system = [pybind11.get_include(), eigen_include(), sysconfig.get_path("include")]
    flags = ["-std=c++17", "-xc++", "-DEIGEN_MPL2_ONLY", '-DKPM_VERSION="0"', '-DKPM_FLAGS=""']
    flags += [f"-I{ROOT / 'csrc' / directory}" for directory in ("include", "src", "tests", "c")]
    flags += [f"-I{ROOT / 'fuzz' / 'core'}"]
    # Paths through our code, not again and again through the insides of Eigen: half the time.
    flags += ["-Xclang", "-analyzer-config", "-Xclang", "c++-template-inlining=false"]
    if source.stem.endswith("_avx2"):
        flags.append("-mavx2")
    for directory in system:
        flags += ["-isystem", directory]
    run = subprocess.run(
        ["clang-tidy", "--quiet", str(source), "--", *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    failed = run.returncode != 0
    return run.returncode, run.stdout + (run.stderr if failed else "")


def main() -> int:
    sources = [Path(name) for name in sys.argv[1:]] or sorted(
        path for folder in ("csrc", "fuzz") for path in (ROOT / folder).rglob("*.cpp")
    )
    failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for source, (code, output) in zip(sources, pool.map(tidy, sources), strict=True):
            if output.strip():
                print(output, end="")
            if code:
                failed += 1
                print(f"clang-tidy: {source} has findings")
    if not failed:
        print(f"clang-tidy: {len(sources)} files clean")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
