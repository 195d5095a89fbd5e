"""``python -m rt_notebook`` is ``rt-notebook``."""

import sys

from rt_notebook.cli import main

sys.exit(main())
