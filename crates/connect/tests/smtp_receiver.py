"""A mail server for one test: prints its port, then each mail that it takes as one JSON line.

Usage: smtp_receiver.py MODE [CERTIFICATE KEY]. MODE is `plain`, `starttls`, `implicit`, or
`answer=CODE TEXT`, which gives that answer to every mail, or `bare`, which offers neither login
nor addresses beyond ASCII. It ends when its input ends.
"""

import asyncio
import base64
import email
import email.policy
import json
import logging
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


def told(value):
    print(json.dumps(value), flush=True)


class Receiver:
    def __init__(self, answer):
        self.answer = answer

    async def handle_DATA(self, server, session, envelope):
        if self.answer:
            return self.answer
        # Not from bytes: Python would not decode headers that stand in UTF-8 (RFC 6532).
        message = email.message_from_string(
            envelope.content.decode("utf-8"), policy=email.policy.default
        )
        told({
            "envelope_from": envelope.mail_from,
            "envelope_to": envelope.rcpt_tos,
            "hello": session.host_name,
            "is_encrypted": server.transport.get_extra_info("sslcontext") is not None,
            "login": (session.auth_data or b"").decode(),
            "headers": [[name, str(value)] for name, value in message.items()],
            "from": [[a.display_name, a.addr_spec] for a in message["From"].addresses],
            "to": [[a.display_name, a.addr_spec] for a in message["To"].addresses],
            "text": message.get_content(),
            "raw": base64.b64encode(envelope.content).decode(),
        })
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    if data.login == b"robot" and data.password == b"right":
        return AuthResult(success=True, auth_data=data.login)
    return AuthResult(success=False, handled=False)


async def main(mode, files):
    context = None
    if files:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*files)
    starttls = context if mode == "starttls" else None
    answer = mode.partition("=")[2]

    def session():
        return SMTP(
            Receiver(answer),
            hostname="receiver.test",
            enable_SMTPUTF8=mode != "bare",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=authenticate,
            auth_exclude_mechanism=["LOGIN", "PLAIN"] if mode == "bare" else None,
            auth_require_tls=False,
        )

    loop = asyncio.get_running_loop()
    implicit = context if mode == "implicit" else None
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=implicit)
    told({"port": server.sockets[0].getsockname()[1]})
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


# Broken sessions are part of the tests and need no report.
logging.getLogger("mail.log").setLevel(logging.CRITICAL + 1)
asyncio.run(main(sys.argv[1], sys.argv[2:]))
