"""The benchmark's modules, as it imports them itself."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "app" / "src"), str(ROOT / "tests"), str(ROOT / "tests" / "bench")]
