"""What must be true of the letters that mail_server.py took: one `ok - ` or `not ok - ` line for each fact.

    mail_facts.py LETTERS.JSONL MINECTL.LOG
"""

import email
import email.policy
import json
import os
import sys

path, log = sys.argv[1:3]
letters = []
if os.path.exists(path):
    with open(path, encoding="utf-8") as file:
        letters = [json.loads(line) for line in file]
warnings = [letter for letter in letters if "system test" in letter["text"]]
parsed = [email.message_from_string(letter["text"], policy=email.policy.default) for letter in warnings]


def fact(sentence, holds, *what):
    print(("ok - " if holds else "not ok - ") + sentence)
    if not holds:
        for line in what:
            print("   ", line)


log_text = open(log, encoding="utf-8").read() if os.path.exists(log) else "no log"
mail_lines = [line for line in log_text.splitlines() if "email" in line]
fact("a warning reached a real mail server, once", len(warnings) == 1, len(warnings), *mail_lines[-5:])
if warnings:
    letter, message = warnings[0], parsed[0]
    wanted = ["owner@example.org", "partner@example.org"]
    fact("it came over STARTTLS under a private authority", letter["tls"])
    fact("it came with user and password", letter["authenticated"])
    fact("it went to both recipients in one delivery", sorted(letter["to"]) == wanted, letter["to"])
    fact("it is from the configured sender", letter["from"] == "minectl@example.org", letter["from"])
    subject = str(message["Subject"])
    named = "Container 1" in subject and "warning" in subject.lower()
    fact("its subject names the site and the severity", named, subject)
    body = message.get_body(("plain",)).get_content()
    fact("its text says what was set and why", "Override set" in body and "system test" in body, body)
    fact("it has a date and an id", bool(message["Date"] and message["Message-ID"]), message.items())
fact("the password is in no log line", "site-smtp-password" not in log_text)
