"""Lists the files of a checkpoint as the jar needs it: CRC-32, length and name of each.

usage: python list_files.py ../src/main/checkpoint > ../src/main/resources/io/github/kolors4j/mini/checkpoint-files.txt
"""

import pathlib
import sys
import zlib


def main():
    folder = pathlib.Path(sys.argv[1])
    for name in sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()):
        data = (folder / name).read_bytes()
        sys.stdout.buffer.write(f"{zlib.crc32(data):08x} {len(data)} {name}\n".encode())


if __name__ == "__main__":
    main()
