#!/usr/bin/env python3
"""Raises the schema number of a database by one, as a newer program would leave it; for update.sh beside it.

    newer_form.py DB      the database's folder

The number is a record of its own, deflated, in sled's log: each message that holds it is rewritten with its checksum, in
its place and length.
"""

import struct
import sys
import zlib
from pathlib import Path

KEY = b"v\xff\x00"
HEADER_MAX = 32


def deflated(number):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(str(number).encode()) + packer.flush()


def varint(data, at):
    """The number at a place and where the next begins, as sled writes lengths and page numbers."""
    first = data[at]
    if first <= 240:
        return first, at + 1
    if first <= 248:
        return 240 + 256 * (first - 241) + data[at + 1], at + 2
    if first == 249:
        return 2288 + 256 * data[at + 1] + data[at + 2], at + 3
    size = first - 247
    return int.from_bytes(data[at + 1 : at + 1 + size], "little"), at + 1 + size


def checksum(data, start, body, end):
    return zlib.crc32(bytes(data[body:end]) + bytes(data[start + 4 : body])) ^ 0xFFFFFFFF


def message_around(data, place):
    """The message (start, body, end) that a place lies in, known by its checksum."""
    for start in range(place - 5, max(place - 40_000, -1), -1):
        if not 1 <= data[start + 4] <= 11:
            continue
        length, at = varint(data, start + 5)
        _, at = varint(data, at)
        _, body = varint(data, at)
        end = body + length
        if body <= place < end <= len(data) and body - start <= HEADER_MAX:
            if struct.unpack_from("<I", data, start)[0] == checksum(data, start, body, end):
                return start, body, end
    return None


def main():
    log = Path(sys.argv[1]) / "db"
    data = bytearray(log.read_bytes())
    raised = 0
    for number in range(1, 9):
        old, new = deflated(number), deflated(number + 1)
        places, at = [], data.find(KEY)
        while at >= 0:
            places.append(at)
            at = data.find(KEY, at + 1)
        for start, body, end in filter(None, [message_around(data, place) for place in places]):
            # A change is key and value; a whole page is all keys and then all values, and this key is its last.
            stored = bytes([len(old)]) + old
            after_key = data.find(KEY + stored, body, end)
            value = after_key + len(KEY) if after_key >= 0 else end - len(stored)
            if data[value : value + len(stored)] == stored and len(old) == len(new):
                data[value + 1 : value + len(stored)] = new
                struct.pack_into("<I", data, start, checksum(data, start, body, end))
                raised += 1
        if raised:
            break
    log.write_bytes(data)
    print(f"{raised} messages raised to schema {number + 1}")
    return 0 if raised else 1


sys.exit(main())
