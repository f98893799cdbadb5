#!/usr/bin/env python3
"""Checks the test vectors against the specification, without any of the crate's code.

Written from ../spec alone: a second reading, which shows that the specification is enough and that the vectors are what it
says. Needs Python 3.9; the package `cryptography` (44 or newer, with OpenSSL 3.2) opens the seals of AES-256-GCM-SIV
and derives with Argon2id, and what needs it is counted as skipped where it is missing (an error with --all). The arithmetic
here is for checking only: it is slow and not constant in time.
"""

import hashlib
import hmac
import itertools
import json
import pathlib
import struct
import sys

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

    AESGCMSIV(bytes(32)).encrypt(bytes(12), b"x", b"")
except Exception:  # absent, too old, or built on an OpenSSL without the cipher
    AESGCMSIV = None

try:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    Argon2id(salt=bytes(16), length=32, iterations=1, lanes=1, memory_cost=8).derive(b"")
except Exception:  # absent, too old, or built on an OpenSSL without it
    Argon2id = None

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors"
PREFIX = b"piquet v1 "


class Refused(Exception):
    """The bytes break a rule."""


class Skipped(Exception):
    """This machine can't check it."""


def require(holds, why="refused"):
    if not holds:
        raise Refused(why)


# --- C: primitives -------------------------------------------------------------------------------


def hashed(label, *parts):
    return hashlib.sha256(PREFIX + label.encode() + b"".join(parts)).digest()


def expand(key, label, *arguments, length=32):
    info = PREFIX + label.encode() + b"".join(struct.pack(">I", len(a)) + a for a in arguments)
    return hkdf_expand(key, info, length)


def hkdf_expand(key, info, length):
    out, block = b"", b""
    for number in range(1, 256):
        if len(out) >= length:
            return out[:length]
        block = hmac.digest(key, block + info + bytes([number]), "sha256")
        out += block
    raise ValueError("too long")


def extract(label, data):
    return hmac.digest(PREFIX + label.encode(), data, "sha256")


def mac(key, label, *parts):
    return hmac.digest(key, PREFIX + label.encode() + b"".join(parts), "sha256")


def chacha_rounds(state):
    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[x] = state[x] + state[y] & 0xFFFFFFFF
            mixed = state[z] ^ state[x]
            state[z] = (mixed << turn | mixed >> 32 - turn) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        quarter(0, 5, 10, 15), quarter(1, 6, 11, 12), quarter(2, 7, 8, 13), quarter(3, 4, 9, 14)


def chacha_start(key, last):
    return list(struct.unpack("<16I", b"expand 32-byte k" + key + last))


def chacha_stream(key, nonce, start, length):
    out = b""
    for counter in range(start, start + (length + 63) // 64):
        state = chacha_start(key, struct.pack("<I", counter) + nonce)
        before = list(state)
        chacha_rounds(state)
        out += struct.pack("<16I", *(a + b & 0xFFFFFFFF for a, b in zip(state, before)))
    return out[:length]


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(message), 16):
        total = (total + int.from_bytes(message[at : at + 16] + b"\1", "little")) * r % (2**130 - 5)
    return (total + int.from_bytes(key[16:], "little") & 2**128 - 1).to_bytes(16, "little")


def chacha20_poly1305_open(key, nonce, associated, boxed):
    require(len(boxed) >= 16)
    text, tag = boxed[:-16], boxed[-16:]
    pad = lambda part: part + bytes(-len(part) % 16)
    covered = pad(associated) + pad(text) + struct.pack("<QQ", len(associated), len(text))
    require(hmac.compare_digest(tag, poly1305(chacha_stream(key, nonce, 0, 32), covered)), "tag")
    return bytes(a ^ b for a, b in zip(text, chacha_stream(key, nonce, 1, len(text))))


def open_box(key, nonce, associated, boxed):
    state = chacha_start(key, nonce[:16])
    chacha_rounds(state)
    subkey = struct.pack("<8I", *state[:4], *state[12:])
    return chacha20_poly1305_open(subkey, bytes(4) + nonce[16:], associated, boxed)


P25519 = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P25519) % P25519


def decode_point(data):
    sign, y = data[31] >> 7, int.from_bytes(data, "little") & 2**255 - 1
    require(y < P25519, "second encoding of a point")
    square = (y * y - 1) * pow(D * y * y + 1, -1, P25519) % P25519
    x = pow(square, (P25519 + 3) // 8, P25519)
    if (x * x - square) % P25519:
        x = x * pow(2, (P25519 - 1) // 4, P25519) % P25519
    require((x * x - square) % P25519 == 0, "no point")
    require(x or not sign, "second encoding of a point")
    return (P25519 - x if x & 1 != sign else x), y


def add_points(a, b):
    (x, y), (u, v) = a, b
    k = D * x * u * y * v % P25519
    return (x * v + u * y) * pow(1 + k, -1, P25519) % P25519, (y * v + x * u) * pow(1 - k, -1, P25519) % P25519


def times(number, point):
    total = (0, 1)
    while number:
        if number & 1:
            total = add_points(total, point)
        point, number = add_points(point, point), number >> 1
    return total


def encode_point(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


BASE = decode_point((4 * pow(5, -1, P25519) % P25519).to_bytes(32, "little"))


def verify(key, message, signature):
    point, r, s = decode_point(key), signature[:32], int.from_bytes(signature[32:], "little")
    require(s < ORDER, "S")
    require(times(8, point) != (0, 1), "key of small order")
    require(times(8, decode_point(r)) != (0, 1), "R of small order")
    k = int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % ORDER
    negative = ((P25519 - point[0]) % P25519, point[1])
    require(encode_point(add_points(times(s, BASE), times(k, negative))) == r, "signature")


def public_key(seed):
    scalar = int.from_bytes(hashlib.sha512(seed).digest()[:32], "little") & 2**254 - 8 | 2**254
    return encode_point(times(scalar, BASE))


def x25519(secret, public):
    """RFC 7748, section 5."""
    scalar = int.from_bytes(secret, "little") & 2**254 - 8 | 2**254
    u = int.from_bytes(public, "little") & 2**255 - 1
    a, b, c, d, p = 1, 0, u, 1, P25519
    for bit in reversed(range(255)):
        swap = scalar >> bit & 1
        if swap:
            a, b, c, d = c, d, a, b
        e, f, g, h = (a + b) % p, (a - b) % p, (c + d) % p, (c - d) % p
        cross, other, ee, ff = h * e % p, g * f % p, e * e % p, f * f % p
        difference = (ee - ff) % p
        a, b = ee * ff % p, difference * (ee + 121665 * difference) % p
        c, d = (cross + other) ** 2 % p, u * (cross - other) ** 2 % p
        if swap:
            a, b, c, d = c, d, a, b
    return (a * pow(b, -1, p) % p).to_bytes(32, "little")


def hpke_open(secret, public, info, associated, sealed):
    """RFC 9180, base mode: X25519, HKDF-SHA256, ChaCha20-Poly1305 (C-9, G-13)."""
    length, rest = varint(sealed, 65_536)
    encapsulated, text = rest[:length], rest[length:]
    require(len(encapsulated) == 32)

    def labelled_extract(suite, salt, label, data):
        return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + data, "sha256")

    def labelled_expand(suite, key, label, data, size):
        return hkdf_expand(key, struct.pack(">H", size) + b"HPKE-v1" + suite + label + data, size)

    kem = b"KEM" + bytes([0, 0x20])
    shared = labelled_extract(kem, b"", b"eae_prk", x25519(secret, encapsulated))
    shared = labelled_expand(kem, shared, b"shared_secret", encapsulated + public, 32)
    suite = b"HPKE" + bytes([0, 0x20, 0, 1, 0, 3])
    context = b"\0" + labelled_extract(suite, b"", b"psk_id_hash", b"") + labelled_extract(suite, b"", b"info_hash", info)
    key = labelled_extract(suite, shared, b"secret", b"")
    nonce = labelled_expand(suite, key, b"base_nonce", context, 12)
    return chacha20_poly1305_open(labelled_expand(suite, key, b"key", context, 32), nonce, associated, text)


# --- D: canonical bytes --------------------------------------------------------------------------


def varint(data, most):
    value = 0
    for at in range(5):
        require(at < len(data), "cut short")
        value |= (data[at] & 0x7F) << 7 * at
        if data[at] < 0x80:
            require(data[at] or at == 0, "not the shortest form")
            require(value <= most, "too large")
            return value, data[at + 1 :]
    raise Refused("too long")


class Simple:
    """What CBOR holds beside numbers, bytes, text, lists and maps."""


NULL = Simple()


def item(data, depth=8):
    """The value at the start of `data`, and the rest (D-2, D-3)."""
    require(depth > 0, "too deep")
    require(data, "cut short")
    major, short, rest = data[0] >> 5, data[0] & 31, data[1:]
    argument = short
    if short >= 24:
        require(short < 28, "indefinite or reserved")
        require(major != 7, "float or simple value")
        size = 1 << short - 24
        require(len(rest) >= size, "cut short")
        argument, rest = int.from_bytes(rest[:size], "big"), rest[size:]
        require(argument >= (24 if size == 1 else 1 << 4 * size), "not the shortest form")
    if major == 0:
        return argument, rest
    if major == 1:
        return -1 - argument, rest
    if major in (2, 3):
        require(len(rest) >= argument, "cut short")
        part, rest = rest[:argument], rest[argument:]
        if major == 2:
            return part, rest
        try:
            return part.decode(), rest
        except UnicodeDecodeError:
            raise Refused("not UTF-8")
    if major == 4:
        out = []
        for _ in range(argument):
            value, rest = item(rest, depth - 1)
            out.append(value)
        return out, rest
    if major == 5:
        out, last = {}, None
        for _ in range(argument):
            before = rest
            key, rest = item(rest, depth - 1)
            encoded = before[: len(before) - len(rest)]
            require(last is None or last < encoded, "keys not ascending")
            last = encoded
            value, rest = item(rest, depth - 1)
            require(value is not NULL, "a field that is null")
            out[encoded if isinstance(key, (list, dict)) else key] = value
        return out, rest
    require(major == 7 and argument in (20, 21, 22), "tag or simple value")
    return {20: False, 21: True, 22: NULL}[argument], rest


def canonical(data):
    value, rest = item(data)
    require(not rest, "trailing bytes")
    return value


# --- bodies: D-5 and the tables of actions.md ------------------------------------------------------


def number(least, most):
    def check(value):
        require(type(value) is int and least <= value <= most, "number")
        return value

    return check


U8, U16, U32, U64 = (number(0, 2**bits - 1) for bits in (8, 16, 32, 64))


def data(least, most=None):
    def check(value):
        require(isinstance(value, bytes) and least <= len(value) <= (least if most is None else most), "bytes")
        return value

    return check


ID, BODY = data(32), 49_152


def control_characters(text):
    return {c for c in text if ord(c) < 32 or 127 <= ord(c) < 160}


def line(most, least=1):
    def check(value):
        require(isinstance(value, str) and least <= len(value.encode()) <= most, "text")
        require(not control_characters(value), "control character")
        return value

    return check


def paragraph(most, least=0):
    def check(value):
        require(isinstance(value, str) and least <= len(value.encode()) <= most, "text")
        require(control_characters(value) <= {"\n"}, "control character")
        return value

    return check


def name(value):
    line(64)(value)
    require(value.strip() == value, "space around a name")
    return value


def one_of(words):
    def check(value):
        require(value in words, "not in the list")
        return value

    return check


def boolean(value):
    require(value is True or value is False, "bool")
    return value


def many(check, most=10**9, least=0):
    def checked(value):
        require(isinstance(value, list) and least <= len(value) <= most, "list")
        return [check(one) for one in value]

    return checked


def optional(check):
    def checked(value):
        return check(value)

    checked.optional = True
    return checked


def fields(**checks):
    """A map with the numbered fields `_0`, `_1`, …"""
    table = {int(key[1:]): check for key, check in checks.items()}

    def check(value):
        require(isinstance(value, dict) and all(type(key) is int for key in value), "not a map of numbers")
        out = {}
        for key, check in table.items():
            if key in value:
                out[key] = check(value[key])
            else:
                require(hasattr(check, "optional"), f"field {key} is missing")
                out[key] = None
        return out

    return check


def words(area, matters):
    return [f"{area}.{matter}" for matter in matters.split()]


CATEGORIES = (
    words("pay", "below_rate unpaid_or_rejected waiting distance grouped_orders bonus tips deductions late expenses")
    + words("account", "deactivated suspended id_check rating locked_out customer_complaint")
    + words("algorithm", "dispatch pay_change monitoring no_human_review data_refused")
    + words("safety", "accident equipment weather assault psychological")
    + words("respect", "discrimination harassment no_reply")
    + words("contract", "change nda status")
    + ["retaliation", "other"]
)
AMOUNTS = "paid expected owed deducted tip bonus hours waiting km tasks".split()
BASES = "document measured estimate".split()
RHYTHMS = "day week month task".split()
PERIODS = "task hour day week month total".split()
FORMS = "log_off refuse_orders set_resting some_orders go_slow picket motorcade no_tasks_from_requester letter_day".split()


def is_date(value):
    parts = value.split("-")
    digits = all(part.isascii() and part.isdigit() for part in parts)
    return digits and [len(part) for part in parts] == [4, 2, 2][: len(parts)]


def when(value):
    require(isinstance(value, str), "text")
    dates = value.split("..")
    require(value == "" or len(dates) <= 2 and all(is_date(date) for date in dates), "dates")
    return value


def check_forms(values):
    require(len(set(values)) == len(values), "a form twice")


def ascending(values):
    require(all(a < b for a, b in zip(values, values[1:])), "not ascending")


def check_admit(body):
    require((body[2] is None) == (body[3] is None), "code and proof")


def check_drop(body):
    require((body[1] is None) == (body[2] is None), "phrase and proof")


def check_call(body):
    check_forms(body[4])
    for leg in body[5]:
        require(leg[4] < leg[5], "leg")
    require(body[7] <= min(leg[4] for leg in body[5]), "closes")
    require(body[9] >= max(leg[5] for leg in body[5]), "expires")


def check_message(body):
    require(body[0] or body[3], "says nothing")


def check_count(body):
    require(body[2] or body[1] and body[1] % 5 == 0, "step")


CHANNEL = number(0, 1)
PERSONS = fields(_0=many(ID, 512, 1), _1=CHANNEL)


def check_rule(body):
    least, most = {0: (0, 16), 1: (1, 2), 2: (0, 365), 3: (0, 3650)}[body[0]]
    require(body[1] is not None and least <= body[1] <= most, "value of a rule")


AMOUNT = fields(_0=one_of(AMOUNTS), _1=U64, _2=number(0, 4), _3=line(8), _4=one_of(PERIODS), _5=optional(one_of(BASES)))
GRIEVANCE = fields(
    _0=one_of(CATEGORIES), _1=line(128), _2=when, _3=line(128, 0), _4=many(AMOUNT, 16), _5=paragraph(16_384),
    _6=optional(one_of(RHYTHMS)), _7=optional(line(128)),
)
LEG = fields(_0=line(128), _1=line(128, 0), _2=line(32), _3=line(32), _4=U64, _5=U64, _6=U32)
CALL = fields(
    _0=optional(ID), _1=number(1, 2**32 - 1), _2=line(200), _3=many(line(1000), 32), _4=many(one_of(FORMS), len(FORMS), 1), _5=many(LEG, 64, 1), _6=U32,
    _7=U64, _8=U32, _9=U64, _10=data(0, 2048), _11=many(ID, 1, 1), _12=line(16, 0),
)

#: Number: class, fields, and what binds fields together. None: the payload is not read.
KINDS = {
    1: (0, fields(_0=data(0, 40_960), _1=data(0, BODY), _2=data(0, BODY), _3=optional(many(data(64), 32))), None),
    2: (0, fields(_0=ID, _1=ID, _2=ID, _3=ID, _4=number(1, 2**16 - 1), _5=U32, _6=data(64), _7=optional(number(0, 1))), None),
    3: (0, fields(_0=ID, _1=data(0, 3500), _2=optional(ID), _3=optional(data(64))), check_admit),
    4: (0, fields(_0=many(ID, 512, 1)), None),
    5: (0, fields(_0=ID), None),
    6: (0, None, None),
    7: (0, PERSONS, None),
    8: (0, PERSONS, None),
    9: (0, fields(_0=ID, _1=CHANNEL), None),
    10: (0, fields(_0=name, _1=data(0, BODY)), None),
    11: (0, fields(_0=data(0, BODY), _1=many(ID, 512)), lambda body: ascending(body[1])),
    12: (0, fields(_0=many(fields(_0=ID, _1=ID), 512)), None),
    13: (0, None, None),
    14: (0, PERSONS, None),
    15: (0, fields(_0=number(0, 3), _1=U32, _2=CHANNEL), check_rule),
    16: (0, fields(_0=ID), None),
    17: (0, fields(_0=ID, _1=optional(data(64))), None),
    18: (0, None, None),
    19: (0, fields(_0=data(0, 40_960), _1=data(0, BODY), _2=data(0, BODY), _3=data(64)), None),
    20: (0, fields(_0=ID, _1=ID, _2=data(0, 3500), _3=data(64), _4=optional(fields(_0=ID, _1=ID, _2=ID))), None),
    21: (0, fields(_0=data(0, 3500), _1=fields(_0=ID, _1=ID, _2=ID), _2=many(data(8), 16)), None),
    22: (0, fields(_0=ID, _1=optional(ID), _2=optional(data(64))), check_drop),
    32: (1, GRIEVANCE, None),
    33: (1, fields(_0=ID, _1=number(0, 2)), None),
    40: (1, CALL, check_call),
    42: (1, fields(_0=ID, _1=number(1, 2**32 - 1), _2=line(1000)), None),
    43: (1, fields(_0=ID, _1=data(1, 2048)), None),
    44: (1, fields(_0=ID, _1=U32, _2=boolean), check_count),
    64: (2, fields(_0=paragraph(16_384), _1=optional(ID), _2=U32, _3=optional(ID)), check_message),
    96: (4, fields(_0=many(line(128), 8), _1=many(ID, 64), _2=many(ID, 64)), None),
}


def body(kind, payload):
    _, table, together = KINDS[kind]
    if table is None:
        return None
    require(len(payload) <= BODY, "size")
    read = table(canonical(payload))
    if together:
        together(read)
    return read


# --- E: entries ----------------------------------------------------------------------------------


def bucket(size):
    if size <= 512:
        return max(64, (size + 63) // 64 * 64)
    exponent = size.bit_length() - 1
    step = 1 << exponent - exponent.bit_length()
    return (size + step - 1) // step * step


class Entry:
    def __init__(self, data):
        require(len(data) <= 65_536, "E-1: size")
        require(len(data) >= 56, "E-1: cut short")
        self.data = data
        version, lane_class = data[0], data[1]
        self.author_hint, self.epoch_hint = data[2:10], data[10:18]
        self.seq, self.prev, acts, talk = struct.unpack(">I32sBB", data[18:56])
        require(version == 1, "E-1: version")
        self.lane, self.kind_class = lane_class >> 4, lane_class & 15
        require({0: 0, 1: 0, 2: 1, 3: 1, 4: 2}.get(self.kind_class) == self.lane, "E-2")
        require(acts <= 64 and talk <= 16, "E-5: count")
        at = 56 + 32 * (acts + talk)
        require(len(data) >= at + 48 + 64, "E-1: cut short")
        cites = [data[n : n + 32] for n in range(56, at, 32)]
        self.acts, self.talk = cites[:acts], cites[acts:]
        for some in (self.acts, self.talk):
            require(bytes(32) not in some, "E-5: zero")
            ascending(some)
        require(self.lane == 1 or not talk, "E-6")
        require(self.lane != 2 or not acts, "E-6")
        require(self.seq > 0, "E-4")
        require((self.prev == bytes(32)) == (self.seq == 1 or self.lane == 2), "E-4")
        self.commitment, self.tag = data[at : at + 32], data[at + 32 : at + 48]
        self.sealed, self.signature = data[at + 48 : -64], data[-64:]
        self.head_end = at + 32
        require(self.sealed and bucket(len(self.sealed)) == len(self.sealed), "E-11")

    def names(self, group, device, epoch):
        require(self.author_hint == device[:8] and self.epoch_hint == epoch[:8], "E-3")
        self.preamble = PREFIX + b"entry" + group + device + epoch
        self.signed = self.preamble + self.data[:2] + self.data[18:-64]
        self.device = device
        verify(device, self.signed, self.signature)
        return hashlib.sha256(self.signed).digest()

    def open(self, class_key):
        author = expand(class_key, "author", self.device)
        return self.open_disclosed(expand(author, "entry", bytes([self.lane]), struct.pack(">I", self.seq)))

    def open_disclosed(self, key):
        pair = expand(key, "body", length=64)
        require(hmac.compare_digest(pair[32:], self.commitment), "E-14")
        if AESGCMSIV is None:
            raise Skipped("AES-256-GCM-SIV")
        associated = self.preamble + self.data[:2] + self.data[18 : self.head_end]
        try:
            plain = AESGCMSIV(pair[:32]).decrypt(bytes(12), self.sealed + self.tag, associated)
        except InvalidTag:
            raise Refused("E-13")
        kind, schema, time, language, size = struct.unpack(">HBIBH", plain[:10])
        require(size <= BODY and 10 + size <= len(plain), "E-9")
        require(bucket(10 + size) == len(plain) and not any(plain[10 + size :]), "E-11")
        return {"kind": kind, "schema": schema, "time": time, "language": language, "payload": plain[10 : 10 + size]}


# --- I: codes and requests -----------------------------------------------------------------------

LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32m(text):
    require(text.lower() == text or text.upper() == text, "both cases")
    text = text.lower()
    prefix, mark, rest = text.rpartition("1")
    require(mark and len(rest) >= 6 and set(rest) <= set(LETTERS), "letters")
    values = [LETTERS.index(letter) for letter in rest]
    check = 1
    for value in [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, mask in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= mask if top >> bit & 1 else 0
    require(check == 0x2BC830A3, "checksum")
    bits = "".join(f"{value:05b}" for value in values[:-6])
    return prefix, bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8))


def read_hint(rest):
    def take(size):
        nonlocal rest
        require(len(rest) >= size, "hint cut short")
        part, rest = rest[:size], rest[size:]
        return part

    kind = take(1)[0]
    if kind == 1:
        host = "/ip4/" + ".".join(map(str, take(4)))
    elif kind == 2:
        import ipaddress

        host = "/ip6/" + str(ipaddress.IPv6Address(take(16)))
    else:
        require(kind == 4, "hint of another type")
        word = take(take(1)[0]).decode("ascii", "replace")
        require(1 <= len(word) <= 100 and all(c.isascii() and (c.isalnum() or c in ".-") for c in word), "name")
        host = "/dns/" + word
    return f"{host}/tcp/{int.from_bytes(take(2), 'big')}", rest


def code(text):
    require(len(text) <= 700, "size")
    prefix, raw = bech32m("".join(c for c in text if not c.isspace() and c != "-"))
    require(prefix == "pq", "prefix")
    require(raw and raw[0] in (0x10, 0x11), "version")
    require(len(raw) >= 31, "cut short")
    hints, rest = [], raw[31:]
    while rest:
        require(len(hints) < 4, "five hints")
        hint, rest = read_hint(rest)
        hints.append(hint)
    bare = raw[:31]
    secrets = {label: expand(extract("invite", bare), label) for label in ("sign", "request", "mailbox", "peer")}
    return {"secret": bare[1:17], "fingerprint": bare[17:29], "day": int.from_bytes(bare[29:], "big"), "hints": hints, **secrets}


def syllables(read):
    letters = ["bdfghjklmnprstvz"[byte >> 4] + "aiou"[byte & 3] for byte in read]
    return "-".join(a + b for a, b in zip(letters[::2], letters[1::2]))


def request(sealed, key, group, invite):
    require(len(sealed) == 4096, "size")
    plain = open_box(key, sealed[:24], b"join request", sealed[24:])
    device, proof, size = plain[:32], plain[32:96], int.from_bytes(plain[96:98], "big")
    require(size <= 3500, "key package")
    package = plain[98 : 98 + size]
    message = PREFIX + b"join request" + group[:12] + invite + device + hashed("key package", package)
    verify(invite, message, proof)
    return device, package, proof, message


# --- M: who is in --------------------------------------------------------------------------------


VERDICTS, GRANTS, FEW = ("expel", "demote"), ("promote", "enrol", "rule"), ("remove", "revoke")
OF_MAJORITY = VERDICTS + GRANTS + ("dismiss",)
OF_ONE = ("admit", "approve", "invite", "leave", "resign", "drop")
MOST_DEVICES = 8
COUNCIL, ROLL, MEMBER = "council", "roll", "member"
GENESIS = None
ALONE = {"council": ["f"], "members": ["f"], "roll": [], "rules": {"admit": 0, "few": 1}}


class Act:
    def __init__(self, device, author, past, does, links):
        self.device, self.author, self.past, self.does = device, author, past, does
        self.kind = next(kind for kind in OF_MAJORITY + FEW + OF_ONE if kind in does)
        self.what = does[self.kind]
        if links:
            self.kind = "link"

    def persons(self):
        """Whom it is about: M, y, or who goes."""
        if self.kind in ("leave", "resign"):
            return {self.author}
        if self.kind in ("promote", "admit"):
            return {self.what}
        return set(self.what) if self.kind in ("expel", "demote", "remove", "enrol") else set()


class Group:
    """The function of membership.md, read aloud: acts that are not void, in a causal order, and V of sets of them."""

    def __init__(self, genesis):
        self.genesis, self.acts, self.views = genesis, {}, {}

    def add(self, act, device, past, does):
        past = frozenset(past) & self.acts.keys()
        view = self.view(past)
        author = view.person(device)
        if author is None:
            return False
        code = view.codes.get(does.get("code")) if "admit" in does else None
        self.acts[act] = Act(device, author, past, does, code is not None and code.kind is not None)
        if self.void(act):
            del self.acts[act]
            return False
        return True

    def view(self, within):
        within = frozenset(within)
        if within not in self.views:
            self.views[within] = View(self, within)
        return self.views[within]

    def before(self, act):
        """V(act)"""
        return self.view(self.acts[act].past)

    def right(self, act):
        act = self.acts[act]
        if act.kind == "dismiss":
            return self.right(act.what)
        if act.kind in FEW:
            return COUNCIL
        return MEMBER if act.kind == "admit" else act.does.get("channel")

    def barred(self, act):
        act = self.acts[act]
        if act.kind == "dismiss":
            return self.barred(act.what)
        return act.persons() if act.kind in VERDICTS else set()

    def asks_for_roll(self, act):
        """Itself, or what it dismisses or approves."""
        a = self.acts[act]
        asking = a.what if a.kind in ("dismiss", "approve") else act
        return asking in self.acts and self.right(asking) == ROLL

    def may(self, person, act, view):
        right = self.right(act)
        return right is not None and view.holds(person, right)

    def signs(self, entry, act):
        e = self.acts[entry]
        if entry != act and not (e.kind == "approve" and e.what == act and act in e.past):
            return False
        entitled = self.may(e.author, act, self.before(act)) and self.may(e.author, act, self.before(entry))
        return entitled and e.author not in self.barred(act)

    def need(self, act):
        if self.acts[act].kind in FEW:
            return self.before(act).rules["few"]
        return max(2, len(self.before(act).holders(self.right(act))) // 2 + 1)

    def void(self, act):
        a, view = self.acts[act], self.before(act)
        x, holder = a.author, view.holds(a.author, COUNCIL)
        if not view.holds(x, MEMBER) and not (view.holds(x, ROLL) and self.asks_for_roll(act)):
            return True
        if a.kind in VERDICTS + GRANTS:
            return not self.may(x, act, view)
        if a.kind == "dismiss":
            return a.what not in a.past or self.acts[a.what].kind not in VERDICTS + GRANTS or a.what in view.stands
        if a.kind == "approve":
            return a.what not in a.past or not self.signs(act, a.what)
        if a.kind == "remove":
            return not holder or any(view.holds(y, COUNCIL) for y in a.what)
        if a.kind == "revoke":
            code = view.codes.get(a.what)
            mine = code is not None and code.issuer == x
            return code is None or code.kind == "recovery" or not (mine or holder and code.kind is None)
        if a.kind == "invite":
            if "for" in a.does:
                second = any(code.issuer == x and code.kind == "recovery" for code in view.codes.values())
                return a.what in view.codes or a.does["for"] == "recovery" and second
            return view.rules["admit"] == 0 and not holder or a.what in view.codes
        if a.kind == "link":
            code = view.codes[a.does["code"]]
            taken = a.what in view.somebody or view.endings(a.what) or a.what in view.linked or a.what in view.dropped
            full = len(view.devices_of(code.issuer) - {code.issuer}) >= MOST_DEVICES
            return not view.is_open(a.does["code"]) or bool(taken) or full
        if a.kind == "drop":
            owner = view.person(a.what)
            if owner is None or not view.holds(owner, MEMBER):
                return True
            if "phrase" in a.does:
                code = view.codes.get(a.does["phrase"])
                return code is None or code.kind != "recovery" or code.issuer != owner
            return owner != x
        if a.kind == "admit":
            shut = "code" in a.does and not view.is_open(a.does["code"])
            back = [p for p in view.grants if a.what in self.acts[p].persons()]
            on = [n for n in view.stands if self.acts[n].kind == "expel" and a.what in self.acts[n].persons()]
            expelled = any(not any(n in self.before(p).stands for p in back) for n in on)
            return view.rules["admit"] == 0 and not holder or expelled or shut or a.what in view.linked
        return a.kind == "resign" and not holder


class Code:
    def __init__(self, invite, act):
        self.invite, self.issuer, self.maker, self.closed = invite, act.author, act.device, False
        self.kind = act.does.get("for")


def strictness(parameter, value):
    if parameter == "chat":
        return 10_000 - value if value else 0
    return 17 if (parameter, value) == ("admit", 0) else value


class View:
    """V(S)"""

    def __init__(self, group, within):
        self.group, self.acts = group, {n: act for n, act in group.acts.items() if n in within}
        self.signatures = {n: [e for e in self.acts if group.signs(e, n)] for n in self.acts}
        self.stands = {n for n in self.of("dismiss") if self.is_signed(n)}
        self.closed = {self.acts[n].what for n in self.stands}
        self.verdicts = {n for n in self.of(*VERDICTS) if n not in self.closed and self.is_signed(n)}
        self.stands |= self.verdicts
        self.grants = set()
        for n in self.of(*GRANTS):
            if n not in self.closed and len(self.authors(self.counted(n, self.verdicts))) >= group.need(n):
                self.grants.add(n)
                self.stands.add(n)
        self.rules = {parameter: self.rule(parameter) for parameter in ("admit", "few", "wait", "chat")}
        self.by_few = {n for n in self.of(*FEW) if len(self.authors(self.counted(n, self.verdicts))) >= group.need(n)}
        self.gone = set(self.of("leave", "resign"))
        self.dropped = {}
        for n in self.of("drop"):
            self.dropped.setdefault(self.acts[n].what, set()).add(n)
        self.stands |= self.by_few | self.gone | set(self.of("drop"))
        self.codes = self.read_codes()
        self.admissions, self.waiting_for_a_rule = set(), set()
        self.used = {n: set() for n in self.of("invite")}
        for n in self.of("admit"):
            self.judge_admission(n)
        for n in self.of("link"):
            self.judge_link(n)
        self.fell = {n for n in self.acts if self.is_fallen(n)}
        self.read_grounds()
        self.read_devices()

    def of(self, *kinds):
        return [n for n, act in self.acts.items() if act.kind in kinds]

    def authors(self, entries):
        return {self.acts[e].author for e in entries}

    def is_signed(self, n):
        return len(self.authors(self.signatures[n])) >= self.group.need(n)

    # Steps 3 to 5: what counts.

    def decided(self, n, e):
        return n in self.group.before(e).stands

    def knows(self, n, e):
        if self.group.need(n) == 1:
            return e in self.acts[n].past
        return len(self.authors(s for s in self.signatures[n] if e in self.acts[s].past)) >= self.group.need(n)

    def cut(self, person, e, of):
        on = [n for n in of if person in self.acts[n].persons() and not self.decided(n, e)]
        kept = any(self.acts[n].kind in VERDICTS and self.knows(n, e) for n in on)
        return not kept and any(not self.knows(n, e) for n in on)

    def in_both(self, person, right, one, other):
        return self.group.before(one).grounds_of(person, right) & self.group.before(other).grounds_of(person, right)

    def sound(self, *of):
        """Whether some ground is in both views and stands."""
        return any(p is GENESIS or p in self.stands for p in self.in_both(*of))

    def held(self, e, a):
        return self.sound(self.acts[e].author, self.group.right(a), a, e)

    def cut_by_name(self, device, person, e):
        """By a verdict that names a further device of a person's."""
        return device != person and self.cut(device, e, self.verdicts)

    def counted(self, a, of):
        def cut(e):
            return self.cut(self.acts[e].author, e, of) or self.cut_by_name(self.acts[e].device, self.acts[e].author, e)

        return [e for e in self.signatures[a] if self.held(e, a) and not cut(e)]

    def changes(self, parameter):
        return [n for n in self.grants if self.acts[n].kind == "rule" and self.acts[n].what == parameter]

    def rule(self, parameter):
        changes = self.changes(parameter)
        last = [n for n in changes if not any(n in self.acts[other].past for other in changes)]
        values = [self.acts[n].does["value"] for n in last]
        return max(values, key=lambda v: strictness(parameter, v)) if values else self.group.genesis["rules"].get(parameter, 0)

    # Codes and admissions.

    def read_codes(self):
        codes = {}
        for n in sorted(self.of("invite")):
            codes.setdefault(self.acts[n].what, Code(n, self.acts[n]))
        for n in self.of("revoke"):
            code = codes.get(self.acts[n].what)
            if code and (n in self.by_few or self.acts[n].author == code.issuer):
                code.closed = True
        for code in codes.values():
            if code.kind == "recovery":
                continue
            closing = {code.issuer, code.maker}
            endings = [n for n in self.verdicts | self.by_few if closing & self.acts[n].persons()]
            code.closed |= any(not self.decided(n, code.invite) for n in endings) or code.maker in self.dropped
        return codes

    def is_open(self, key):
        return key in self.codes and not self.codes[key].closed and self.holds(self.codes[key].issuer, MEMBER)

    def asked(self, a, entries, admit, office):
        view = self.group.before(a)
        hand = any(office(self.acts[e].author, COUNCIL, a, e) for e in entries)
        removed = any(view.acts[n].kind == "remove" and self.acts[a].what in view.acts[n].what for n in view.stands)
        if admit == 0 or removed and not hand:
            return hand
        strangers = lambda some: all(view.sponsor(x) not in set(some) - {x} for x in some)
        return any(map(strangers, itertools.combinations(self.authors(entries), admit)))

    def code_of(self, a):
        """As it was in V(a), if the admission is by one."""
        act = self.acts[a]
        return self.group.before(a).codes[act.does["code"]] if "code" in act.does else None

    def code_allows(self, a):
        code = self.code_of(a)
        if code is None:
            return True
        if not self.sound(code.issuer, MEMBER, code.invite, a):
            return False
        key = self.acts[a].does["code"]
        revoked = [n for n in self.by_few if self.acts[n].kind == "revoke" and self.acts[n].what == key]
        cut = self.cut(code.issuer, a, self.verdicts | self.by_few) or self.cut_by_name(code.maker, code.issuer, a)
        return not cut and all(self.knows(n, a) for n in revoked)

    def judge_admission(self, a):
        view, code = self.group.before(a), self.code_of(a)
        counted = self.counted(a, self.verdicts | self.by_few)
        if not self.asked(a, counted, view.rules["admit"], self.sound) or not self.code_allows(a):
            return
        blind = [r for r in self.changes("admit") if not self.decided(r, a) and not self.decided(a, r)]
        if not all(self.asked(a, counted, self.acts[r].does["value"], self.sound) for r in blind):
            self.waiting_for_a_rule.add(a)
            return
        self.admissions.add(a)
        self.stands.add(a)
        if code:
            self.used[code.invite].add(self.acts[a].what)

    def judge_link(self, n):
        """It falls with the device whose code it used, if that was taken from its member blind to it."""
        code = self.code_of(n)
        blind = any(n not in self.acts[drop].past for drop in self.dropped.get(code.maker, ()))
        if code.kind == "recovery" or not blind and not self.cut_by_name(code.maker, code.issuer, n):
            self.stands.add(n)
            self.used[code.invite].add(self.acts[n].what)

    def is_fallen(self, n):
        kind = self.acts[n].kind
        if n in self.stands or n in self.closed or n in self.waiting_for_a_rule:
            return False
        if kind == "admit":
            return self.asked(n, self.signatures[n], self.group.before(n).rules["admit"], self.in_both)
        return kind == "link" or kind in OF_MAJORITY + FEW and self.is_signed(n)

    # What all that amounts to.

    def read_grounds(self):
        genesis, self.grounds, self.waiting, self.somebody = self.group.genesis, {}, set(), set()
        for y in genesis["members"]:
            on = [right for right in (COUNCIL, ROLL) if y in genesis[right]]
            self.ground(y, GENESIS, on)
        for p in self.grants | self.admissions:
            on = {"promote": [COUNCIL, ROLL], "enrol": [ROLL], "admit": []}.get(self.acts[p].kind)
            for y in self.acts[p].persons():
                self.ground(y, p, on)
        self.somebody = self.waiting | {y for y, given in self.grounds.items() if any(given.values())}
        self.waiting -= set(self.holders(MEMBER))

    def ground(self, y, p, offers):
        endings = [n for n in self.verdicts | self.by_few | self.gone if y in self.acts[n].persons()]
        known = set() if p is GENESIS else self.group.before(p).stands
        ended = {self.acts[n].kind for n in endings if n not in known}
        given = self.grounds.setdefault(y, {COUNCIL: set(), ROLL: set(), MEMBER: set()})
        office = COUNCIL in offers and not ended & {"expel", "leave", "demote", "resign"}
        if office:
            given[COUNCIL].add(p)
        if ended & {"expel", "leave"}:
            return
        if ROLL in offers:
            given[ROLL].add(p)
        if "remove" in ended and not office:
            return
        code = None if p is GENESIS else self.code_of(p)
        if code and len(self.used[code.invite]) > self.acts[code.invite].does["uses"]:
            self.waiting.add(y)
        else:
            given[MEMBER].add(p)

    # Devices.

    def read_devices(self):
        self.linked = {}
        for n in sorted(n for n in self.of("link") if n in self.stands):
            code = self.code_of(n)
            if code.kind == "recovery" or len(self.used[code.invite]) <= self.acts[code.invite].does["uses"]:
                self.linked.setdefault(self.acts[n].what, code.issuer)

    def endings(self, y):
        return [n for n in self.verdicts | self.by_few | self.gone if y in self.acts[n].persons()]

    def owner(self, device):
        return device if device in self.somebody else self.linked.get(device, device)

    def is_live(self, device):
        struck = any(self.acts[n].kind == "expel" for n in self.endings(device))
        return device not in self.dropped and not (struck and self.owner(device) != device)

    def person(self, device):
        owner = self.owner(device)
        return owner if self.is_live(device) and (self.holds(owner, MEMBER) or self.holds(owner, ROLL)) else None

    def devices_of(self, person):
        return {device for device in {person, *self.linked} if self.owner(device) == person and self.is_live(device)}

    def sponsor(self, y):
        """Who let y in, if y has no ground but admissions."""
        grounds = set().union(*self.grounds.get(y, {}).values())
        if not grounds or not grounds <= self.admissions:
            return None
        shown = self.first(grounds)
        code = self.code_of(shown)
        return code.issuer if code else self.acts[shown].author

    def first(self, admissions):
        """By a code before by hand, then the smallest id."""
        return min(admissions, key=lambda p: (self.code_of(p) is None, p), default=None)

    def grounds_of(self, person, right):
        return self.grounds.get(person, {}).get(right, set())

    def holds(self, person, right):
        return bool(self.grounds_of(person, right))

    def holders(self, right):
        return sorted(y for y in self.grounds if self.holds(y, right))

    def rests(self, y):
        """The admission that is shown (M-16)."""
        grounds = self.grounds_of(y, MEMBER)
        return None if GENESIS in grounds else self.first(grounds & self.admissions)


# --- Y: sessions ---------------------------------------------------------------------------------


def transcript(peers, nonces):
    prefixed = b"".join(struct.pack(">H", len(peer)) + peer for peer in peers)
    return hashed("handshake", prefixed, *nonces)


def read_slot(slot, t, role, peer_key, group, epoch):
    role = bytes([role])
    require(hmac.compare_digest(slot[:16], mac(peer_key, "slot", t, role)[:16]), "tag")
    content = open_box(expand(peer_key, "box", t, role), bytes(24), b"", slot[16:])
    verify(content[:32], PREFIX + b"slot" + t + role + group + epoch, content[32:])
    return content[:32]


class Cursor:
    def __init__(self, data):
        self.rest = data

    def take(self, size):
        require(len(self.rest) >= size, "cut short")
        part, self.rest = self.rest[:size], self.rest[size:]
        return part

    def byte(self):
        return self.take(1)[0]

    def flag(self):
        value = self.byte()
        require(value < 2, "flag")
        return value

    def number(self, size=4):
        return int.from_bytes(self.take(size), "big")

    def items(self, most, read):
        out = []
        while self.rest:
            require(len(out) < most, "too many")
            out.append(read())
        return out


def positions(c):
    count = c.byte()
    require(count <= 16, "positions")
    return [(c.number(), c.take(8)) for _ in range(count)]


def frame(raw):
    """Type and fields of a frame (the table of Y-1)."""
    require(0 < len(raw) <= 66_560, "size")
    kind, c = raw[0], Cursor(raw[1:])
    place = lambda: (c.take(8), c.number())
    if kind == 1:
        require(c.byte() == 1, "version")
        c.take(4)
        out = c.take(32)
        c.take(27)
    elif kind == 2:
        require(len(c.rest) in (8 * 128, 32 * 128, 128 * 128), "slots")
        out = c.items(128, lambda: c.take(128))
    elif kind == 3:
        out = c.byte()
    elif kind == 4:
        require(len(c.rest) <= 4096)
        out = c.take(len(c.rest))
    elif kind == 5:
        part, parts = c.byte(), c.byte()
        require(part < parts <= 64 and len(c.rest) <= 49_152, "part")
        out = (part, parts, c.take(len(c.rest)))
    elif kind == 6:
        out = (c.byte(), [c.take(16) for _ in range(3)], c.items(16, lambda: c.take(8)))
    elif kind == 7:
        out = (c.byte(), c.flag(), c.items(1024, lambda: (c.take(8), c.byte(), c.number(), c.take(8))))
    elif kind == 8:
        out = (c.byte(), c.items(64, place))
    elif kind == 9:
        out = (c.byte(), c.flag(), c.number())
        require(out[2] <= 1 << 20, "budget")
        out += (c.items(256, lambda: (c.take(8), positions(c))),)
    elif kind == 10:
        out = (c.byte(), c.flag(), c.take(8), c.items(10**9, lambda: c.take(c.number())))
    elif kind == 11:
        require(len(c.rest) <= 65_536)
        out = c.take(len(c.rest))
    elif kind == 12:
        out = c.byte()
    elif kind == 13:
        out = c.number(2)
    elif kind == 15:
        out = (c.byte(), c.items(64, lambda: c.take(32)))
    elif kind == 16:
        out = (c.byte(), c.items(64, lambda: (c.take(32), c.take(32))))
    else:
        require(kind == 14, "type")
        out = None
    require(not c.rest, "trailing bytes")
    return kind, out


# --- the files -----------------------------------------------------------------------------------


class Report:
    def __init__(self):
        self.held, self.failed, self.skipped = 0, [], {}

    def equal(self, what, found, expected):
        if found == expected:
            self.held += 1
        else:
            self.failed.append(f"{what}: {found!r} is not {expected!r}")

    def accepts(self, what, work):
        try:
            result = work()
            self.held += 1
            return result
        except Skipped as skipped:
            self.skipped[str(skipped)] = self.skipped.get(str(skipped), 0) + 1
        except Refused as refused:
            self.failed.append(f"{what}: refused ({refused})")
        return None

    def refuses(self, what, work):
        try:
            work()
        except Skipped as skipped:
            self.skipped[str(skipped)] = self.skipped.get(str(skipped), 0) + 1
        except Refused:
            self.held += 1
        else:
            self.failed.append(f"{what}: accepted")


def x(vector, field):
    return bytes.fromhex(vector[field])


def title(vector):
    return f"{vector['rule']} {vector.get('name', '')}".strip()


def check_kdf(file, report):
    key = x(file, "key")
    for v in file["hash"]:
        report.equal(title(v), hashed(v["label"], *map(bytes.fromhex, v["parts"])), x(v, "out"))
    for v in file["expand"]:
        arguments = list(map(bytes.fromhex, v["arguments"]))
        report.equal(title(v), expand(key, v["label"], *arguments), x(v, "expand"))
        report.equal(title(v), expand(key, v["label"], *arguments, length=64), x(v, "pair"))
    for v in file["extract"]:
        report.equal(title(v), extract(v["label"], x(v, "input")), x(v, "out"))
    for v in file["mac"]:
        report.equal(title(v), mac(key, v["label"], *map(bytes.fromhex, v["parts"])), x(v, "out"))
    for v in file["box"]:
        report.equal(title(v), open_box(key, x(v, "nonce"), x(v, "associated"), x(v, "out")), x(v, "content"))
    one, other = ((v["one"], v["other"]) for v in file["labels"])
    report.equal("C-1", [expand(key, "a", b"bc").hex(), expand(key, "ab", b"c").hex()], list(one))
    report.equal("C-8", [expand(key, "a", b"b", b"c").hex(), expand(key, "a", b"bc").hex()], list(other))


def check_signatures(file, report):
    for v in file["accepted"]:
        report.accepts(title(v), lambda: verify(x(v, "key"), x(v, "message"), x(v, "signature")))
    for v in file["refused"]:
        report.refuses(title(v), lambda: verify(x(v, "key"), x(v, "message"), x(v, "signature")))


def check_cbor(file, report):
    for v in file["accepted"]:
        report.accepts(title(v), lambda: canonical(x(v, "bytes")))
    for v in file["refused"]:
        report.refuses(title(v), lambda: canonical(x(v, "bytes")))


def check_varint(file, report):
    for v in file["accepted"]:
        report.equal(title(v), varint(x(v, "bytes"), 2**32 - 1), (v["value"], b""))
    for v in file["refused"]:
        report.refuses(title(v), lambda: varint(x(v, "bytes"), v["max"]))


def check_padding(file, report):
    for v in file["accepted"]:
        report.equal(title(v), bucket(10 + v["payload"]), v["ciphertext"])


def check_entry(file, report):
    group, epoch, device, class_key = (x(file, field) for field in ("group", "epoch", "device", "class_key"))
    report.equal("E-7 device key", public_key(x(file, "seed")), device)
    tags = " en fr es pt-BR it de hi ar bn ur zh-Hans tr sw mg".split(" ") + [""]
    report.equal("E-10", file["languages"], tags)
    for v in file["accepted"]:
        entry = Entry(x(v, "entry"))
        report.equal(title(v), report.accepts(title(v), lambda: entry.names(group, device, epoch)), x(v, "id"))
        header = (entry.lane, entry.kind_class, entry.seq, entry.prev.hex(), [c.hex() for c in entry.acts], [c.hex() for c in entry.talk])
        report.equal(title(v), header, tuple(v[f] for f in ("lane", "class", "seq", "prev", "act_cites", "talk_cites")))
        author = expand(class_key, "author", device)
        report.equal("E-12", expand(author, "entry", bytes([entry.lane]), struct.pack(">I", entry.seq)), x(v, "entry_key"))
        opened = report.accepts(title(v), lambda: entry.open(class_key))
        if opened is not None:
            expected = {field: v[field] for field in ("kind", "schema", "time", "language")}
            report.equal(title(v), opened, {**expected, "payload": x(v, "payload")})
    for v in file["refused_shape"]:
        report.refuses(title(v), lambda: Entry(x(v, "entry")))
    for v in file["refused_author"]:
        entry = report.accepts(title(v), lambda: Entry(x(v, "entry")))
        report.refuses(title(v), lambda: entry.names(x(v, "group"), x(v, "device"), x(v, "epoch")))
    for v in file["refused_seal"]:
        entry = Entry(x(v, "entry"))
        report.accepts(title(v), lambda: entry.names(group, x(v, "device"), epoch))
        report.refuses(title(v), lambda: entry.open(x(v, "class_key")))


def check_epoch(file, report):
    exported = x(file, "exported")
    control = expand(exported, "control")
    derived = {"control": control, "envelope": expand(exported, "envelope"), "seek": expand(exported, "seek"), "peer": expand(control, "peer")}
    for v in file["keys"]:
        report.equal(title(v), derived[v["name"]], x(v, "key"))
    classes = {0: control, **{n: expand(exported, "content", bytes([n])) for n in (1, 2, 3, 4)}}
    for v in file["content"]:
        report.equal(title(v), classes[v["class"]], x(v, "key"))
    for v in file["entry_keys"]:
        author = expand(classes[v["class"]], "author", x(v, "device"))
        report.equal(title(v), author, x(v, "author_key"))
        report.equal(title(v), expand(author, "entry", bytes([v["lane"]]), struct.pack(">I", v["seq"])), x(v, "entry_key"))


def check_carriers(file, report):
    envelope, seek = x(file, "envelope"), x(file, "seek")
    for v in file["envelopes"]:
        entry = x(v, "entry")
        report.equal(title(v), expand(envelope, "key"), x(v, "key"))
        report.equal(title(v), mac(expand(envelope, "nonce"), "envelope", entry)[:24], x(v, "nonce"))
        report.equal(title(v), open_box(x(v, "key"), x(v, "nonce"), x(v, "associated"), x(v, "unpadded_box")), entry)
    for v in file["mailboxes"]:
        report.equal(title(v), expand(seek, "mailbox", x(v, "relay")), x(v, "write"))
        report.equal(title(v), hashed("mailbox", x(v, "write")), x(v, "address"))
    for v in file["read_capabilities"]:
        report.equal(title(v), hashed("mailbox", x(v, "write")), x(v, "address"))
    for v in file["bundles"]:
        report.equal(title(v), expand(envelope, "bundle"), x(v, "key"))


PARAMETERS = fields(
    _0=U16, _1=ID, _2=ID, _3=name, _4=many(ID), _5=many(ID), _6=many(ID), _7=fields(_0=U32, _1=U32, _2=optional(U32)), _8=optional(ID)
)


def parameters(raw):
    require(len(raw) <= 40_960, "size")
    plain = canonical(raw)
    read = PARAMETERS(plain)
    council, members, roll, rules = read[4], read[5], read[6], read[7]
    if council == members == [read[1]] and roll == [] and rules == {0: 0, 1: 1, 2: None} and read[8] is None:
        require(set(plain) == set(range(8)) and set(plain[7]) == {0, 1}, "other fields")
        return read
    require(set(plain) - {8} == set(range(8)) and set(plain[7]) == {0, 1, 2} and None not in plain.values(), "other fields")
    for people in (council, members, roll):
        ascending(people)
    require(2 <= len(council) <= 32 and read[1] in council, "council")
    require(set(council) <= set(roll) <= set(members), "not on the roll, or no member")
    for parameter, value in rules.items():
        check_rule({0: parameter, 1: value})
    return read


def genesis(payload):
    """A genesis entry whose council has consented."""
    read = body(1, payload)
    told = parameters(read[0])
    consents = read[3] or []
    is_draft = read[3] is None
    require(is_draft == (told[6] == []), "consents")
    require(is_draft or len(consents) == len(told[4]), "as many consents as key-holders")
    start = hashed("genesis", struct.pack(">I", len(read[1])), read[1], read[2])
    for device, consent in zip(told[4], consents):
        verify(device, PREFIX + b"consent" + hashed("group", read[0]) + start, consent)
    return told


def check_group(file, report):
    for v in file["accepted"]:
        report.equal(title(v), hashed("group", x(v, "parameters")), x(v, "group"))
    first = file["accepted"][0]
    read = report.accepts("B-2", lambda: parameters(x(first, "parameters")))
    report.equal("B-2", (read[0], read[1], read[2], read[3]), (first["suite"], x(first, "founder"), x(first, "random"), first["group_name"]))
    report.equal("I-1", x(first, "group")[:12], x(first, "fingerprint"))
    for v in file["bindings"]:
        operations = list(map(bytes.fromhex, v["operations"]))
        ascending(operations)
        report.equal(title(v), PREFIX + b"commit" + x(v, "parent") + b"".join(operations), x(v, "associated"))
    report.accepts("a group", lambda: parameters(x(file["accepted"][1], "parameters")))
    for v in file["refused"]:
        report.refuses(title(v), lambda: parameters(x(v, "parameters")))
    for v in file["entries"]:
        report.accepts(title(v), lambda: genesis(x(v, "payload")))
    for v in file["refused_entries"]:
        report.refuses(title(v), lambda: genesis(x(v, "payload")))


def check_bodies(file, report):
    report.equal("B-1", {v["kind"]: v["class"] for v in file["kinds"]}, {kind: row[0] for kind, row in KINDS.items()})
    for v in file["accepted"]:
        report.accepts(title(v), lambda: body(v["kind"], x(v, "payload")))
    for v in file["refused"]:
        report.refuses(title(v), lambda: body(v["kind"], x(v, "payload")))


def invite_act(group, issuer, payload):
    read = body(2, payload)
    verify(read[0], PREFIX + b"invite" + group + issuer, read[6])
    return read


def drop(group, payload):
    read = body(22, payload)
    if read[1] is not None:
        verify(read[1], PREFIX + b"device-drop" + group + read[0], read[2])
    return read


def check_invite(file, report):
    for v in file["accepted"]:
        read = report.accepts(title(v), lambda: code(v["code"]))
        for field, key in (("secret", "secret"), ("fingerprint", "fingerprint"), ("sign_seed", "sign"), ("request", "request"), ("mailbox", "mailbox"), ("peer", "peer")):
            report.equal(f"{title(v)}, {field}", read[key], x(v, field))
        report.equal(title(v), (read["day"], read["hints"]), (v["day"], v["hints"]))
        report.equal(title(v), 1_577_836_800 + 86_400 * read["day"], v["until"])
        report.equal("I-2 public", public_key(read["sign"]), x(v, "public"))
        report.equal("I-10", syllables(read["fingerprint"][:8]), v["words"])
    for v in file["words"]:
        report.equal(title(v), syllables(x(v, "fingerprint")[:8]), v["words"])
    for v in file["readings"]:
        read = hashed("verify", x(v, "group"), x(v, "reader"), x(v, "listener"))[:12]
        report.equal(title(v), syllables(read), v["words"])
    for v in file["phrases"]:
        secret = expand(extract("recovery", x(v, "entropy")), "code", x(v, "fingerprint"))[:16]
        read = code(v["code"])
        report.equal(title(v), (read["secret"], read["fingerprint"], read["day"]), (secret, x(v, "fingerprint"), 0xFFFF))
    for v in file["drops"]:
        report.accepts(title(v), lambda: drop(x(v, "group"), x(v, "payload")))
    for v in file["refused_drops"]:
        report.refuses(title(v), lambda: drop(x(v, "group"), x(v, "payload")))
    for v in file["typed"]:
        report.equal(title(v), code(v["typed"]), code(v["code"]))
    for v in file["refused"]:
        report.refuses(title(v), lambda: code(v["code"]))
    for v in file["acts"]:
        report.accepts(title(v), lambda: invite_act(x(v, "group"), x(v, "issuer"), x(v, "payload")))
    for v in file["refused_acts"]:
        report.refuses(title(v), lambda: invite_act(x(v, "group"), x(v, "issuer"), x(v, "payload")))
    for v in file["requests"]:
        read = report.accepts(title(v), lambda: request(x(v, "sealed"), x(v, "request_key"), x(v, "group"), x(v, "invite")))
        report.equal(title(v), read, tuple(x(v, field) for field in ("device", "key_package", "proof", "proof_message")))
    for v in file["refused_requests"]:
        report.refuses(title(v), lambda: request(x(v, "sealed"), x(v, "request_key"), x(v, "group"), x(v, "invite")))


def membership(story):
    group, past, void = Group(story.get("group", ALONE)), {}, []
    for act in story["acts"]:
        known = set(act["knows"]).union(*(past[n] for n in act["knows"]))
        past[act["act"]] = known
        if not group.add(act["act"], act["by"], known, act["does"]):
            void.append(act["act"])
    view = group.view(group.acts)
    devices = {y: sorted(view.devices_of(y)) for y in view.holders(MEMBER)}
    several = {y: of for y, of in devices.items() if of != [y]}
    return {
        "void": void, "members": {y: view.rests(y) for y in view.holders(MEMBER)}, "council": view.holders(COUNCIL),
        "roll": view.holders(ROLL), "rules": view.rules, "keyholder": view.holds("f", COUNCIL),
        "waiting": sorted(view.waiting), "fell": sorted(view.fell), "closed": sorted(view.closed), "stands": sorted(view.stands),
        "used": {k: len(view.used[code.invite]) for k, code in view.codes.items()},
        "revoked": sorted(k for k, code in view.codes.items() if code.closed),
        **({"devices": several} if several else {}),
    }


def check_membership(file, report):
    for v in file["accepted"]:
        report.equal(title(v), membership(v), v["outcome"])


def check_handshake(file, report):
    t = transcript(list(map(bytes.fromhex, file["peers"])), list(map(bytes.fromhex, file["nonces"])))
    for v in file["transcripts"]:
        report.equal(title(v), t, x(v, "transcript"))
        report.equal("Y-7", expand(t, "short"), x(v, "short_key"))
    read = lambda v: read_slot(x(v, "slot"), t, v["role"], x(v, "peer_key"), x(v, "group"), x(v, "epoch"))
    for v in file["slots"]:
        report.equal(title(v), report.accepts(title(v), lambda: read(v)), x(v, "device"))
        report.equal(title(v), public_key(x(v, "seed")), x(v, "device"))
    for v in file["refused"]:
        report.refuses(title(v), lambda: read(v))


def check_frames(file, report):
    for v in file["accepted"]:
        report.accepts(title(v), lambda: frame(x(v, "frame")))
        length, rest = varint(x(v, "on_stream"), 66_560)
        report.equal(title(v), (length, rest), (len(x(v, "frame")), x(v, "frame")))
    for v in file["refused"]:
        report.refuses(title(v), lambda: frame(x(v, "frame")))


class Session:
    """Follows a recorded session, as either side would."""

    def __init__(self, file, report):
        self.report, self.group, self.epoch, self.peer_key = report, x(file, "group"), x(file, "epoch"), x(file, "peer_key")
        self.peers, self.devices = list(map(bytes.fromhex, file["peers"])), list(map(bytes.fromhex, file["devices"]))
        self.nonces, self.handles, self.heads = [], [], {}
        self.logs = [{(x(l, "device"), l["lane"]): (l["seq"], x(l, "id")) for l in file["logs_before"][side]} for side in ("dialler", "answerer")]

    def log_name(self, device, lane):
        return mac(self.short, "log", self.group, device, bytes([lane]))[:8]

    def id_name(self, entry):
        return mac(self.short, "id", entry)[:8]

    def named(self, side):
        return {self.log_name(*log): (log[1], seq, self.id_name(head)) for log, (seq, head) in self.logs[side].items()}

    def take(self, side, kind, fields):
        work = {1: self.hello, 2: self.slots, 6: self.digest, 7: self.listed, 8: self.have, 9: self.want, 10: self.entries, 11: self.entry}
        work[kind](side, fields)

    def hello(self, side, nonce):
        self.nonces.append(nonce)
        if side == 1:
            self.transcript = transcript(self.peers, self.nonces)
            self.short = expand(self.transcript, "short")

    def slots(self, side, slots):
        for handle, slot in enumerate(slots):
            try:
                device = read_slot(slot, self.transcript, side + 1, self.peer_key, self.group, self.epoch)
            except Refused:
                continue
            self.report.equal("Y-4 a session's slot", device, self.devices[side])
            self.handles.append(handle)

    def digest(self, side, fields):
        self.handle(fields[0])
        for lane, digest in enumerate(fields[1]):
            heads = sorted((log, seq, head) for log, (of, seq, head) in self.named(side).items() if of == lane)
            covered = b"".join(log + struct.pack(">I", seq) + head for log, seq, head in heads)
            self.report.equal("Y-9 a digest", mac(self.short, "digest", bytes([lane]), covered)[:16], digest)

    def listed(self, side, fields):
        self.handle(fields[0])
        told = {log: (lane >> 1, seq, head) for log, lane, seq, head in fields[2]}
        self.report.equal("Y-9 heads", told, self.named(side))
        self.heads[side] = told

    def want(self, side, fields):
        self.handle(fields[0])
        mine, lacking = self.named(side), {}
        for log, (lane, seq, _) in self.heads[1 - side].items():
            held = mine.get(log, (lane, 0, b""))
            if held[1] < seq:
                lacking.setdefault(lane, {})[log] = [held[1:]] if held[1] else []
        first = next(lacking[lane] for lane in (0, 2, 1) if lane in lacking)
        self.report.equal("Y-10 a want", dict(fields[3]), first)
        self.wanted = getattr(self, "wanted", {})
        self.wanted[side] = first

    def entries(self, side, fields):
        self.handle(fields[0])
        for number, raw in enumerate(fields[3], self.first(1 - side, fields[2])):
            entry, log = self.store(1 - side, raw)
            self.report.equal("Y-12 entries", (log, entry.seq), (fields[2], number))

    def first(self, side, log):
        held = self.wanted[side].get(log)
        return held[0][0] + 1 if held else 1

    def entry(self, side, raw):
        entry, log = self.store(1 - side, raw)
        self.report.equal("Y-15 a push", entry.seq, self.heads.get(1 - side, {}).get(log, (0, 2, b""))[1] + 1)

    def have(self, side, fields):
        self.handle(fields[0])
        mine = self.named(side)
        for log, seq in fields[1]:
            self.report.equal("Y-18 an acknowledgement", seq, mine[log][1])

    def handle(self, handle):
        self.report.equal("Y-6 a handle", handle, self.handles[0])

    def store(self, side, raw):
        entry = Entry(raw)
        device = next(d for d in self.devices if d[:8] == entry.author_hint)
        found = entry.names(self.group, device, self.epoch)
        for holder in (self.logs[side], self.logs[1 - side]):
            holder[device, entry.lane] = max(holder.get((device, entry.lane), (0, b"")), (entry.seq, found))
        return entry, self.log_name(device, entry.lane)


def check_session(file, report):
    session = Session(file, report)
    for said in file["frames"]:
        session.take(["dialler", "answerer"].index(said["by"]), *frame(x(said, "frame")))
    report.equal("Y-6 one handle", session.handles[0], session.handles[1])
    after = {(x(l, "device"), l["lane"]): (l["seq"], x(l, "id")) for l in file["logs_after"]}
    report.equal("Y-10 all is there", session.logs[1], after)


def check_pledge(file, report):
    secret, public, info = (x(file, field) for field in ("secret", "public", "info"))
    report.equal("A-10 key pair", x25519(secret, (9).to_bytes(32, "little")), public)
    for v in file["accepted"]:
        words = PREFIX + b"pledge" + x(v, "group") + x(v, "call") + x(v, "device") + struct.pack(">I", v["seq"])
        report.equal(title(v), words, x(v, "associated"))
        opened = report.accepts(title(v), lambda: hpke_open(secret, public, info, words, x(v, "sealed")))
        report.equal(title(v), opened, bytes([v["yes"]]) + bytes(31))
    for v in file["refused"]:
        report.refuses(title(v), lambda: hpke_open(secret, public, info, x(v, "associated"), x(v, "sealed")))


# --- S: a profile's files ------------------------------------------------------------------------


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, length):
        require(len(self.data) >= length, "cut short")
        head, self.data = self.data[:length], self.data[length:]
        return head

    def number(self, length):
        return int.from_bytes(self.take(length), "big")


def unseal(key, associated, sealed):
    return open_box(key, sealed[:24], associated, sealed[24:])


def header_block(raw):
    require(hashlib.sha256(raw[:-32]).digest() == raw[-32:], "checksum")
    c = Reader(raw[:-32])
    require(c.take(8) == b"piquet\r\n" and c.number(4) == 1, "not of version 1")
    block = {"profile": c.take(16), "sequence": c.number(8), "kind": c.number(1), "memory": c.number(4), "passes": c.number(4)}
    require(2**16 <= block["memory"] <= 2**20 and 3 <= block["passes"] <= 12, "costs")
    block["slots"] = [(c.take(32), c.take(72)) for _ in range(2)]
    block["vault_key"] = c.take(72)
    require(not any(c.data), "zeros")
    return block


def slot_key(block, salt, passphrase, key_file):
    if block["kind"] == 0:
        return hkdf_expand(hmac.digest(salt, key_file, "sha256"), b"piquet v1 key file", 32)
    if Argon2id is None:
        raise Skipped("Argon2id")
    costs = {"iterations": block["passes"], "lanes": 1, "memory_cost": block["memory"]}
    return Argon2id(salt=salt, length=32, **costs).derive(passphrase.encode())


def open_slot(block, label, passphrase, key_file=None):
    """What is in the slot of this kind, and the slot's key."""
    for salt, wrapped in block["slots"]:
        key = slot_key(block, salt, passphrase, key_file)
        try:
            return unseal(key, label + block["profile"], wrapped), key
        except Refused:
            continue
    raise Refused("no slot opens")


def check_duress(v, block, report):
    """S-27: the other slot holds the key of the empty profile's slot."""
    found = report.accepts(title(v), lambda: open_slot(block, b"piquet v1 duress", v["duress"]))
    if found is None:
        return
    later, key = found
    report.equal(title(v), block["slots"][0][0], block["slots"][1][0])
    report.equal(title(v), later, slot_key(block, hkdf_expand(key, b"piquet v1 duress salt", 32), v["duress"], None))
    report.refuses(title(v), lambda: open_slot(block, b"piquet v1 duress", v["passphrase"]))
    report.refuses(title(v), lambda: open_header(block, v["duress"], None))


def open_header(block, passphrase, key_file):
    """The vault key."""
    master, _ = open_slot(block, b"piquet v1 slot", passphrase, key_file)
    associated = b"piquet v1 vault key" + block["profile"] + struct.pack(">Q", block["sequence"])
    return unseal(master, associated, block["vault_key"])


def vault(plain):
    require(len(plain) % 4096 == 0)
    c = Reader(plain)
    found = {"generation": c.number(8), "opening": c.number(8), "machine": c.take(32), "continuity": c.number(1), "index_key": c.take(32)}
    require(found["continuity"] <= 2)
    segment = lambda: (c.number(4), (c.take(32), c.number(1), c.number(8), c.number(8)))
    found["segments"] = dict(segment() for _ in range(c.number(4)))
    secret = lambda: (c.take(16), (c.number(1), c.take(c.number(1))))
    found["secrets"] = dict(secret() for _ in range(c.number(4)))
    require(all(kind <= 1 and len(value) <= 64 for kind, value in found["secrets"].values()))
    require(not any(c.data), "zeros")
    return found


def read_frames(raw, key, profile, number, kind):
    c, check_key = Reader(raw), hkdf_expand(key, b"piquet v1 frame check", 32)
    while c.data:
        start = c.take(12)
        require(start[:4] == b"pqf1" and c.take(8) == hmac.digest(check_key, start, "sha256")[:8], "head")
        index, length = struct.unpack(">II", start[4:])
        associated = b"piquet v1 frame" + profile + struct.pack(">IBI", number, kind, index)
        yield index, unseal(key, associated, c.take(length))


def records(plain):
    c = Reader(plain)
    batch, part, _parts = c.number(8), c.number(4), c.number(4)
    while c.data:
        op, address = c.number(1), c.take(32)
        require(1 <= op <= 5, "op")
        yield (batch, part), op, address, c.take(c.number(4))


def replayed(frames, secrets, profile):
    """What stands at each address, records and secrets apart."""
    values, kept = {}, {}
    for _, op, address, value in sorted((r for plain in frames for r in records(plain)), key=lambda r: r[0]):
        if op == 1:
            values[address] = value
        elif op == 2:
            values.pop(address, None)
        elif op == 5:
            kept.pop(address, None)
        else:
            kept[address] = value
    for address, value in kept.items():
        name, sealed = value[:16], value[16:]
        kind, secret = secrets[name]
        kept[address] = unseal(secret, b"piquet v1 secret" + profile + name, sealed) if kind == 1 else secret
    return values, kept


def check_store(file, report):
    for v in file["profiles"]:
        header = x(v["files"], "header")
        report.equal(title(v), len(header), 8192)
        blocks = []
        for at in (0, 4096):
            try:
                blocks.append(header_block(header[at : at + 4096]))
            except Refused:
                pass
        block = max(blocks, key=lambda block: block["sequence"])
        profile, key_file = block["profile"], v["files"]["key"] and x(v["files"], "key")
        vault_key = report.accepts(title(v), lambda: open_header(block, v["passphrase"], key_file))
        if vault_key is None:
            continue
        if v["passphrase"]:
            report.refuses(title(v), lambda: open_header(block, v["passphrase"] + " ", key_file))
        if v.get("duress"):
            check_duress(v, block, report)
        sealed, associated = x(v["files"], "vault"), b"piquet v1 vault" + profile
        plain = unseal(vault_key, associated, sealed)
        report.equal(title(v), plain.hex(), v["plaintexts"]["vault"])
        report.refuses(title(v), lambda: unseal(vault_key, associated, sealed[:-1] + bytes([sealed[-1] ^ 1])))
        kept = vault(plain)
        machine = hashlib.sha256(b"piquet v1 machine" + profile + x(v, "machine")).digest()
        report.equal(title(v), kept["machine"], machine)
        report.equal(title(v), sorted(v["journal"]), [f"{number:08x}" for number in sorted(kept["segments"])])
        found = []
        for number, (key, kind, _, _) in sorted(kept["segments"].items()):
            raw = x(v["journal"], f"{number:08x}")
            for index, text in read_frames(raw, key, profile, number, kind):
                found.append({"segment": number, "index": index, "plain": text.hex()})
            report.refuses(title(v), lambda: list(read_frames(raw, key, profile, number + 1, kind)))
            report.refuses(title(v), lambda: list(read_frames(raw, key, profile, number, kind + 1)))
        report.equal(title(v), found, v["plaintexts"]["frames"])
        texts = [bytes.fromhex(frame["plain"]) for frame in found]
        values, secrets = replayed(texts, kept["secrets"], profile)
        for c in v["contents"]:
            name = hmac.digest(kept["index_key"], bytes([c["table"]]) + x(c, "scope"), "sha256")[:16]
            standing = secrets if c["table"] == 7 else values
            value = standing.get(name + c["order"].to_bytes(16, "big"))
            report.equal(title(v), value and value.hex(), c["value"])
        report.equal(title(v), len(values) + len(secrets), sum(c["value"] is not None for c in v["contents"]))


def main():
    report = Report()
    for path in sorted(VECTORS.glob("*.json")):
        check = globals().get("check_" + path.stem)
        if check is None:
            report.failed.append(f"{path.name}: nothing here checks it")
            continue
        before = report.held
        check(json.loads(path.read_text(encoding="utf-8")), report)
        print(f"{path.name}: {report.held - before} hold")
    for what, count in report.skipped.items():
        print(f"skipped: {count} that need {what} (pip install 'cryptography>=44')")
    for failure in report.failed:
        print(f"FAILED {failure}")
    print(f"{report.held} hold, {len(report.failed)} fail, {sum(report.skipped.values())} skipped")
    return 1 if report.failed or report.skipped and "--all" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
