"""Writes a record for ever, and says on standard output how many rows each commit has made safe."""

import os
import sys
from pathlib import Path

from ascnode.record.database import Record

with Record(Path(sys.argv[1])) as record:
    rows = 0
    while True:
        for _ in range(1 + rows % 7):
            record.numbered("frames", 0, rows, "up", rows.to_bytes(4, "big") * (1 + rows % 90))
            record.add(
                "queries", rows, "inference", 1, "Lima", 0, 0, 0, rows, 60, *[0] * 6, *[None] * 3, 1, "", rows
            )
            rows += 1
        record.commit()
        os.write(1, b"%d\n" % rows)
