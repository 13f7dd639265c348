"""Where things are built. `CARGO_TARGET_DIR` moves everything, as it does for cargo."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
EXAMPLES = TARGET / "examples-c"
TESTS_C = TARGET / "tests-c"
TEST_ENV = TARGET / "test-env"
