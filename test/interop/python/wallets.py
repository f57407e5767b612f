"""Makes the calls of bittensor-wallet that come as JSON lines on stdin, and answers each with one JSON line on stdout.

A request is {"call": name, "args": {...}}: a function of this file. Wallets lie in the folder that the command line names.
"""

import json
import os
import sys

# What the wallet package prints must not get among the answers: it writes to the descriptor itself.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
(folder,) = sys.argv[1:]

from bittensor_wallet import CRYPTO_ED25519, CRYPTO_SR25519, Keypair, Wallet, __version__  # noqa: E402
from bittensor_wallet import keyfile  # noqa: E402


def version():
    return __version__


def wallet_of(name, hotkey):
    return Wallet(name=name, hotkey=hotkey, path=folder)


def create(name, hotkey, password=None, hotkey_password=None, crypto_type=CRYPTO_SR25519):
    wallet = wallet_of(name, hotkey)
    wallet.create_new_coldkey(
        n_words=12, use_password=password is not None, coldkey_password=password, overwrite=True, suppress=True
    )
    wallet.create_new_hotkey(
        n_words=12,
        use_password=hotkey_password is not None,
        hotkey_password=hotkey_password,
        overwrite=True,
        suppress=True,
        crypto_type=crypto_type,
    )
    return addresses(wallet)


def create_from_uri(name, hotkey, uri, public):
    """Writes keys without phrase and seed; the hotkey's public file only when told, as wallets before 4.0 had none."""
    wallet = wallet_of(name, hotkey)
    pair = Keypair.create_from_uri(uri)
    wallet.set_coldkey(pair, encrypt=False, overwrite=True)
    wallet.set_coldkeypub(pair, encrypt=False, overwrite=True)
    wallet.set_hotkey(pair, encrypt=False, overwrite=True)
    if public:
        wallet.set_hotkeypub(pair, encrypt=False, overwrite=True)
    return pair.ss58_address


def addresses(wallet):
    return {"coldkey": wallet.coldkeypub.ss58_address, "hotkey": wallet.hotkeypub.ss58_address}


def open_wallet(name, hotkey, message, password=None, hotkey_password=None):
    """Opens both keys and signs with them."""
    wallet = wallet_of(name, hotkey)
    encrypted = {"coldkey": wallet.coldkey_file.is_encrypted(), "hotkey": wallet.hotkey_file.is_encrypted()}
    cold = wallet.get_coldkey(password=password)
    hot = wallet.get_hotkey(password=hotkey_password)
    return {
        "encrypted": encrypted,
        "coldkey": cold.ss58_address,
        "hotkey": hot.ss58_address,
        "cryptoType": hot.crypto_type,
        "signatures": ["0x" + key.sign(message.encode()).hex() for key in (cold, hot)],
        "public": addresses(wallet),
    }


def decrypt_fails(name, hotkey, password):
    """Tells whether the hotkey refuses a password."""
    try:
        wallet_of(name, hotkey).get_hotkey(password=password)
        return False
    except Exception:
        return True


def legacy(name, hotkey, password):
    """Writes the hotkey anew as the vault of an older wallet."""
    path = wallet_of(name, hotkey).hotkey_file.path
    with open(path, "rb") as file:
        plain = file.read()
    with open(path, "wb") as file:
        file.write(keyfile.legacy_encrypt_keyfile_data(plain, password))
    return True


for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = {"result": globals()[request["call"]](**request["args"])}
    except BaseException as error:  # noqa: BLE001 (panics of the package's own language come as these)
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), file=answers, flush=True)
