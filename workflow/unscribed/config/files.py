"""What the user's files are like when a run starts, so that changed ones are noticed.

Every Snakemake process loads this, on compute nodes too: it imports nothing heavy.
"""

import hashlib
import os
from pathlib import Path


def state_of(folder: str) -> str:
    """Return a short text that changes with the names, sizes and times of all files below a folder.

    Hidden files and folders do not count. A folder that is missing, which its reader reports, has a state, too.
    """
    known = hashlib.sha256()
    root = Path(folder).expanduser()
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in names if not name.startswith(".")):
            path = Path(place) / name
            try:
                about = path.stat()
            except OSError:  # a dangling link: whoever reads it says so
                continue
            known.update(f"{path.relative_to(root)}\0{about.st_size}\0{about.st_mtime_ns}\0".encode())
    return known.hexdigest()[:16]
