"""pack.py FOLDER NAME ARCHIVE: the archive of FOLDER/NAME, a .tar.gz or a .zip, whose bytes depend only on the files.

Names are sorted, owners are 0, modes are 755 for programs and folders and 644 for the rest, times are SOURCE_DATE_EPOCH.
Python's own modules, because GNU tar, bsdtar and the zip of three systems agree on little.
"""

import gzip
import io
import os
import pathlib
import sys
import tarfile
import time
import zipfile

folder, name, archive = sys.argv[1:]
root = pathlib.Path(folder)
when = int(os.environ["SOURCE_DATE_EPOCH"])
paths = sorted([root / name, *(root / name).rglob("*")], key=lambda p: p.relative_to(root).as_posix().encode())


def mode(path):
    return 0o755 if path.is_dir() or path.name in ("vouchsafe", "vouchsafe.exe") else 0o644


if archive.endswith(".zip"):
    # the time of a zip has no zone and no odd seconds
    stamp = time.gmtime(when - when % 2)[:6]
    with zipfile.ZipFile(archive, "w") as out:
        for path in paths:
            if path.is_dir():
                continue
            entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), stamp)
            entry.create_system = 3
            entry.external_attr = (0o100000 | mode(path)) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(entry, path.read_bytes(), compresslevel=9)
else:
    # no name and no time of its own in the head of the gzip
    with open(archive, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as out:
            for path in paths:
                entry = tarfile.TarInfo(path.relative_to(root).as_posix())
                entry.mtime = when
                entry.mode = mode(path)
                if path.is_dir():
                    entry.type = tarfile.DIRTYPE
                    out.addfile(entry)
                else:
                    data = path.read_bytes()
                    entry.size = len(data)
                    out.addfile(entry, io.BytesIO(data))
