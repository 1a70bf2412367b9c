"""Let the tests find the benchmark's modules, and what these use."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("app/src", "tests", "tests/kafka", "tests/bench")
sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]
