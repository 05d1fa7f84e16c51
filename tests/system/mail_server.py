"""A real SMTP server for the system test: STARTTLS with the certificate of a private authority, then AUTH, then mail.

    mail_server.py PORT FOLDER      FOLDER holds server.pem and server.key

Prints `ready`, and appends each letter as one JSON line to FOLDER/letters.jsonl. Nothing is taken unencrypted or
without the right user and password.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

USER, PASSWORD = b"minectl", b"site-smtp-password"


class Letters:
    def __init__(self, path):
        self.path = path

    async def handle_DATA(self, server, session, envelope):
        letter = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None,
            "authenticated": session.authenticated,
            "text": envelope.content.decode("utf-8", "replace"),
        }
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(letter) + "\n")
        return "250 OK: taken"


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (USER, PASSWORD))


def main():
    port, folder = int(sys.argv[1]), sys.argv[2]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")
    controller = Controller(
        Letters(f"{folder}/letters.jsonl"),
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=True,
        authenticator=authenticate,
        auth_required=True,
    )
    controller.start()
    print("ready", flush=True)
    asyncio.new_event_loop().run_forever()


main()
