#!/usr/bin/env python3
"""A bot on the JSON command line: whoever writes "!calls" in its group is told the open strike calls.

    bot.py GROUP         follows a group of the running node (PIQUET_HOME says which profile)
    bot.py --self-test   tries it out: two nodes on this machine, in a temporary folder

It needs Python's standard library and `piquet` on the PATH. The bot is a member like any other: whoever
lets it in lets it read everything. Its node may stop and start again; the bot goes on where it was.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

KEPT = "1000"  # how many of the newest messages the bot looks back on


def piquet(*args):
    """Runs a command that answers at once; gives the objects that it prints, one a line."""
    while True:
        done = subprocess.run(["piquet", "--json", *args], capture_output=True, text=True)
        if done.returncode == 0:
            return [json.loads(line) for line in done.stdout.splitlines()]
        error = json.loads(done.stderr)["error"]
        if error["code"] != "profile_locked":
            sys.exit(f'{error["message"]} {error["hint"]}')
        time.sleep(0.2)  # the node is starting: it answers soon


def follow(group):
    """Yields what others write from now on, each message once, whatever becomes of the node."""
    seen = {message["id"] for message in piquet("read", group, "--limit", KEPT)}
    print(f"following {group}", flush=True)
    while True:
        command = ["piquet", "--json", "read", group, "--follow", "--limit", KEPT]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as reader:
            for line in reader.stdout:
                message = json.loads(line)
                if message["id"] not in seen:
                    seen.add(message["id"])
                    # One's own are saved or delivered, never received.
                    if message["state"] == "received":
                        yield message
        time.sleep(1)  # the node has stopped: look again


def calls(group):
    """The open calls, each with its local starts."""
    lines = []
    for call in piquet("strike", "list", group):
        if call["state"] == "pledging":
            legs = [f'{leg["place"]} {leg["start_local"].replace("T", " ")}' for leg in call["legs"]]
            lines.append(f'{call["title"]}: {", ".join(legs)}')
    return "\n".join(lines) or "No open strike calls."


def serve(group):
    for message in follow(group):
        if message["text"].strip() == "!calls":
            piquet("send", group, calls(group))


def self_test():
    """A person asks twice; in between the bot's node is killed, and comes back."""

    def laptop(name):
        return {"PIQUET_HOME": os.path.join(folder, name), "PIQUET_STATE": os.path.join(folder, "state")}

    def at(name, *args):
        os.environ.update(laptop(name))
        return piquet(*args)

    def start(name, *command):
        process = subprocess.Popen(command, env={**os.environ, **laptop(name)}, stdout=subprocess.PIPE, text=True)
        running.append(process)
        return process

    def up(name):
        """Starts a node and waits until it is ready; again, while the bot is looking at the profile."""
        node = start(name, "piquet", "--json", "up", "--listen", "/ip4/127.0.0.1/tcp/0")
        return node if node.stdout.readline() else up(name)

    def until(what, holds):
        for _ in range(600):
            if holds():
                return print(what)
            time.sleep(0.1)
        sys.exit(f"not in time: {what}")

    def answers():
        return [message["text"] for message in at("person", "read", "picket") if message["name"] == "bot"]

    running = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for name in ("person", "bot"):
                at(name, "init", "--no-passphrase", "--name", name)
            up("person")
            node = up("bot")
            at("person", "group", "create", "picket")
            at("bot", "join", at("person", "invite", "picket")[0]["code"])
            bot = start("bot", sys.executable, os.path.abspath(__file__), "picket")
            bot.stdout.readline()  # what comes from now on it answers

            at("person", "send", "picket", "!calls")
            until("the bot says that there are no calls", lambda: answers() == ["No open strike calls."])

            node.kill()
            node.wait()
            leg = "Europe/Paris;Lyon;2031-12-05T18:00;2031-12-05T22:00"
            at("person", "strike", "call", "picket", "--title", "Evening off", "--leg", leg)
            at("person", "send", "picket", "!calls")
            up("bot")
            until("its node back, the bot tells of the call",
                  lambda: answers() == ["No open strike calls.", "Evening off: Lyon 2031-12-05 18:00"])
            if bot.poll() is not None:
                sys.exit("the bot has stopped")
        finally:
            for process in running:
                process.kill()
                process.wait()


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
    elif len(sys.argv) == 2:
        serve(sys.argv[1])
    else:
        sys.exit(__doc__)
