import os
import sys

if "pytest" in sys.modules:  # a test compiles what it tests: nothing that an earlier run left is found
    os.environ.setdefault("AUTOGRAD_CORE_CACHE", "")
