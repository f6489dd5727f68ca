"""The hash to Curve25519 against the standard's vectors, and the laws that intersection builds on."""

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.protocols.elligator import PRIME, expand_message, hash_to_curve, map_to_curve, on_curve

DOMAIN = b"QUUX-V01-CS02-with-curve25519_XMD:SHA-512_ELL2_RO_"
# RFC 9380, appendix J.4.1.
VECTORS = {
    "": (
        "2de3780abb67e861289f5749d16d3e217ffa722192d16bbd9d1bfb9d112b98c0",
        "3b5dc2a498941a1033d176567d457845637554a2fe7a3507d21abd1c1bd6e878",
    ),
    "abc": (
        "2b4419f1f2d48f5872de692b0aca72cc7b0a60915dd70bde432e826b6abc526d",
        "1b8235f255a268f0a6fa8763e97eb3d22d149343d495da1160eff9703f2d07dd",
    ),
    "abcdef0123456789": (
        "68ca1ea5a6acf4e9956daa101709b1eee6c1bb0df1de3b90d4602382a104c036",
        "2a375b656207123d10766e68b938b1812a4a6625ff83cb8d5e86f58a4be08353",
    ),
    "q128_" + "q" * 128: (
        "096e9c8bae6c06b554c1ee69383bb0e82267e064236b3a30608d4ed20b73ac5a",
        "1eb5a62612cafb32b16c3329794645b5b948d9f8ffe501d4e26b073fef6de355",
    ),
    "a512_" + "a" * 512: (
        "1bc61845a138e912f047b5e70ba9606ba2a447a4dade024c8ef3dd42b7bbc5fe",
        "623d05e47b70e25f7f1d51dda6d7c23c9a18ce015fe3548df596ea9e38c69bf1",
    ),
}  # fmt: skip


def test_the_standards_vectors_are_reproduced():
    for message, coordinates in VECTORS.items():
        assert hash_to_curve(message.encode(), DOMAIN) == tuple(int(c, 16) for c in coordinates)


def test_expansion_gives_the_standards_vector():
    # RFC 9380, appendix K.3 (SHA-512), message "abc", 32 bytes.
    domain = b"QUUX-V01-CS02-with-expander-SHA512-256"
    wanted = "0da749f12fbe5483eb066a5f595055679b976e93abe9be6f0f6318bce7aca8dc"
    assert expand_message(b"abc", domain, 32).hex() == wanted


@given(st.integers(0, PRIME - 1))
@settings(max_examples=100, deadline=None)
def test_every_field_element_maps_onto_the_curve(u: int):
    assert on_curve(map_to_curve(u))


@given(st.binary(max_size=40), st.binary(max_size=40))
@settings(max_examples=50, deadline=None)
def test_equal_messages_and_only_they_give_equal_points(left: bytes, right: bytes):
    assert (hash_to_curve(left, DOMAIN) == hash_to_curve(right, DOMAIN)) == (left == right)


@given(st.binary(max_size=40))
@settings(max_examples=30, deadline=None)
def test_secret_scalars_commute_on_hashed_points(message: bytes):
    point = hash_to_curve(message, DOMAIN)[0].to_bytes(32, "little")
    keys = [X25519PrivateKey.generate() for _ in range(3)]

    def through(order):
        value = point
        for key in order:
            value = key.exchange(X25519PublicKey.from_public_bytes(value))
        return value

    assert through(keys) == through(keys[::-1])
