#!/usr/bin/env python3
"""A bot on the JSON command line: answers "ping" in a group with "pong".

    bot.py GROUP        follow a group of the running node (PIQUET_HOME says which profile)
    bot.py --self-test  try it out with two nodes in a temporary folder
"""

import json
import os
import subprocess
import sys
import tempfile
import time


def piquet(*args, home=None):
    command = ["piquet", "--json"] + (["--home", home] if home else []) + list(args)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def answer(group, home=None, once=False):
    """Follows a group and answers every "ping" that is not one's own."""
    command = ["piquet", "--json"] + (["--home", home] if home else []) + ["read", group, "--follow", "--limit", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
        for line in reader.stdout:
            message = json.loads(line)
            if message["state"] == "received" and message["text"] == "ping":
                piquet("send", group, "pong", home=home)
                if once:
                    reader.kill()
                    return


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PIQUET_STATE"] = os.path.join(folder, "state")
        homes = [os.path.join(folder, name) for name in ("person", "bot")]
        nodes = []
        try:
            for home in homes:
                piquet("init", "--no-passphrase", "--name", os.path.basename(home), home=home)
                up = ["piquet", "--json", "--home", home, "up", "--listen", "/ip4/127.0.0.1/tcp/0"]
                nodes.append(subprocess.Popen(up, stdout=subprocess.PIPE, text=True))
                nodes[-1].stdout.readline()
            person, bot = homes
            piquet("group", "create", "picket", home=person)
            piquet("join", piquet("invite", "picket", home=person)[0]["code"], home=bot)
            if os.fork() == 0:
                time.sleep(1)
                piquet("send", "picket", "ping", home=person)
                os._exit(0)
            answer("picket", home=bot, once=True)
            for _ in range(300):
                if any(message["text"] == "pong" for message in piquet("read", "picket", home=person)):
                    print("ping → pong")
                    return 0
                time.sleep(0.1)
            print("no pong came", file=sys.stderr)
            return 1
        finally:
            for node in nodes:
                node.kill()


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    answer(sys.argv[1])
