"""
The other party of the differential tests: Debian's unmodified python3-x3dh and python3-doubleratchet behind JSON lines.

One request per line on standard input, one answer per line on standard output, in order; bytes are hexadecimal. Requests name a
session; its randomness is SHA-256(seed || counter), so that a run is the same for the same seeds. Parameters are those of
../vectors/python_x3dh_doubleratchet.json, except that identity keys are Ed25519 keys, which both sides convert.
"""

import asyncio
import hashlib
import json
import sys

import doubleratchet
import doubleratchet.recommended.aead_aes_hmac
import doubleratchet.recommended.diffie_hellman_ratchet_curve25519
import doubleratchet.recommended.kdf_hkdf
import doubleratchet.recommended.kdf_separate_hmacs
import x3dh
import x3dh.base_state
import xeddsa.bindings
from doubleratchet.recommended import HashFunction

# As many as Sotto's own limits.
MAX_SKIPPED_PER_JUMP = 1000
MAX_SKIPPED_KEPT = 2000


class Dice:
    """Stands in for the module `secrets`: the bytes of the session that is served at the moment."""

    session = None

    def token_bytes(self, length):
        out = b""
        while len(out) < length:
            self.session.drawn += 1
            out += hashlib.sha256(self.session.seed + self.session.drawn.to_bytes(8, "big")).digest()
        return out[:length]

    def choice(self, options):
        return options[0] if len(options) == 1 else sorted(options)[self.token_bytes(1)[0] % len(options)]


dice = Dice()
x3dh.base_state.secrets = dice
xeddsa.bindings.secrets = dice


class Agreement(x3dh.BaseState):
    @staticmethod
    def _encode_public_key(key_format, pub):
        return (b"\x05" if key_format is x3dh.IdentityKeyFormat.CURVE_25519 else b"\x06") + pub


class RatchetKeys(doubleratchet.recommended.diffie_hellman_ratchet_curve25519.DiffieHellmanRatchet):
    @staticmethod
    def _generate_priv():
        return dice.token_bytes(32)


class RootKdf(doubleratchet.recommended.kdf_hkdf.KDF):
    @staticmethod
    def _get_hash_function():
        return HashFunction.SHA_256

    @staticmethod
    def _get_info():
        return b"SecVectors_RK"


class ChainKdf(doubleratchet.recommended.kdf_separate_hmacs.KDF):
    @staticmethod
    def _get_hash_function():
        return HashFunction.SHA_256


class Aead(doubleratchet.recommended.aead_aes_hmac.AEAD):
    @staticmethod
    def _get_hash_function():
        return HashFunction.SHA_256

    @staticmethod
    def _get_info():
        return b"SecVectors_MK"


class Ratchet(doubleratchet.DoubleRatchet):
    @staticmethod
    def _build_associated_data(associated_data, header):
        return associated_data + encode_header(header)


RATCHET_PARAMETERS = {
    "diffie_hellman_ratchet_class": RatchetKeys,
    "root_chain_kdf": RootKdf,
    "message_chain_kdf": ChainKdf,
    # The next chain key comes first in this implementation's output, the message key second.
    "message_chain_constant": b"\x02\x01",
    "dos_protection_threshold": MAX_SKIPPED_PER_JUMP,
    "max_num_skipped_message_keys": MAX_SKIPPED_KEPT,
    "aead": Aead,
}

REFUSALS = (
    doubleratchet.AuthenticationFailedException,
    doubleratchet.DecryptionFailedException,
    doubleratchet.DoSProtectionException,
    doubleratchet.DuplicateMessageException,
    x3dh.KeyAgreementException,
)


def encode_header(header):
    return (
        header.ratchet_pub
        + header.previous_sending_chain_length.to_bytes(4, "big")
        + header.sending_chain_length.to_bytes(4, "big")
    )


def decode_header(data):
    return doubleratchet.Header(data[:32], int.from_bytes(data[32:36], "big"), int.from_bytes(data[36:], "big"))


class Session:
    """One party of one session. Requests of a wrong order fail with whatever Python says, which fails the test."""

    def __init__(self, seed, one_time):
        self.seed = seed
        self.drawn = 0
        dice.session = self
        self.agreement = Agreement.create(
            x3dh.IdentityKeyFormat.ED_25519, x3dh.HashFunction.SHA_256, b"SecVectors_X3DH"
        )
        self.agreement.generate_pre_keys(1 if one_time else 0)
        self.secret = self.associated_data = self.remote_key = self.own_secret = self.ratchet = None

    def bundle(self):
        identity_key, signed_prekey, signature, one_time = self.agreement.bundle
        return {
            "identityKey": identity_key.hex(),
            "signedPrekey": signed_prekey.hex(),
            "signature": signature.hex(),
            "oneTimePrekey": next((key.hex() for key in one_time), None),
        }

    async def initiate(self, identityKey, signedPrekey, signature, oneTimePrekey):
        one_time = frozenset() if oneTimePrekey is None else frozenset([bytes.fromhex(oneTimePrekey)])
        bundle = x3dh.Bundle(*(bytes.fromhex(part) for part in (identityKey, signedPrekey, signature)), one_time)
        self.secret, self.associated_data, header = await self.agreement.get_shared_secret_active(
            bundle, require_pre_key=False
        )
        self.remote_key = bundle.signed_pre_key
        return {
            "identityKey": header.identity_key.hex(),
            "ephemeralKey": header.ephemeral_key.hex(),
            "secret": self.secret.hex(),
            "associatedData": self.associated_data.hex(),
        }

    async def respond(self, identityKey, ephemeralKey, signedPrekey, oneTimePrekey):
        header = x3dh.Header(
            bytes.fromhex(identityKey),
            bytes.fromhex(ephemeralKey),
            bytes.fromhex(signedPrekey),
            None if oneTimePrekey is None else bytes.fromhex(oneTimePrekey),
        )
        self.secret, self.associated_data, signed_prekey = await self.agreement.get_shared_secret_passive(
            header, require_pre_key=False
        )
        self.own_secret = signed_prekey.priv
        return {"secret": self.secret.hex(), "associatedData": self.associated_data.hex()}

    async def send(self, plaintext):
        data = bytes.fromhex(plaintext)
        if self.ratchet is None:
            self.ratchet, sealed = await Ratchet.encrypt_initial_message(
                **RATCHET_PARAMETERS,
                shared_secret=self.secret,
                recipient_ratchet_pub=self.remote_key,
                message=data,
                associated_data=self.associated_data,
            )
        else:
            sealed = await self.ratchet.encrypt_message(data, self.associated_data)
        return {"header": encode_header(sealed.header).hex(), "body": sealed.ciphertext.hex()}

    async def receive(self, header, body):
        sealed = doubleratchet.EncryptedMessage(decode_header(bytes.fromhex(header)), bytes.fromhex(body))
        if self.ratchet is None:
            self.ratchet, plaintext = await Ratchet.decrypt_initial_message(
                **RATCHET_PARAMETERS,
                shared_secret=self.secret,
                own_ratchet_priv=self.own_secret,
                message=sealed,
                associated_data=self.associated_data,
            )
        else:
            plaintext = await self.ratchet.decrypt_message(sealed, self.associated_data)
        return {"plaintext": plaintext.hex()}


sessions = {}


async def answer(op, session, **arguments):
    if op == "start":
        sessions[session] = Session(bytes.fromhex(arguments["seed"]), arguments["oneTime"])
        return sessions[session].bundle()
    if op == "end":
        del sessions[session]
        return {}
    dice.session = sessions[session]
    step = {"initiate": Session.initiate, "respond": Session.respond, "send": Session.send, "receive": Session.receive}
    try:
        return await step[op](sessions[session], **arguments)
    except REFUSALS as refusal:
        return {"refused": type(refusal).__name__}


async def main():
    # Nothing else happens in this process, so waiting for a line may block it.
    for line in sys.stdin:
        print(json.dumps(await answer(**json.loads(line))), flush=True)


asyncio.run(main())
