#!/usr/bin/env python3
"""Kills the leader of a PostgreSQL cluster under a server that is writing, and counts what is lost.

Three PostgreSQL under Patroni and etcd, in synchronous mode, all on loopback and in a temporary folder; the server over all three of them;
writers that create users and members until the end. In the middle the leader and its Patroni are killed with SIGKILL. Then:

- every write that was acknowledged is there, and nobody is there twice;
- the chain of the log holds;
- the server has recovered by itself.

The gap, during which nothing was acknowledged, is printed. Everything that was started is ended by its own process id.

    python3 run.py SERVER [--python PYTHON] [--before SECONDS] [--after SECONDS]

SERVER is the program `securecodinghub`; PYTHON one that has what requirements.txt names.
"""

import argparse
import glob
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

NODES = 3
WRITERS = 4
# Patroni allows no less; a leader that is gone is noticed when its lease has ended.
TTL = 20
PATIENCE = 90


def log(text):
    print(f"{time.monotonic() - BEGAN:6.1f} s  {text}", flush=True)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def postgres_binaries():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
    if not found:
        sys.exit("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1]


def owner():
    """Whom the databases run as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    sys.exit("there is neither a user postgres nor a user nobody to run PostgreSQL as")


class Programs:
    """What was started, to be ended in the end, each by its own process id."""

    def __init__(self, folder, user):
        self.folder, self.user, self.running = folder, user, {}

    def start(self, name, command, as_owner=True, **more):
        output = open(os.path.join(self.folder, f"{name}.log"), "wb")
        switch = {}
        if as_owner and self.user:
            switch = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        environment = {**os.environ, "HOME": self.folder, "LC_ALL": "C.UTF-8"}
        self.running[name] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=more.pop("stdout", output), stderr=output, cwd=self.folder,
            env=environment, **switch, **more
        )
        return self.running[name]

    def end(self):
        # The server first, then what it stands on. Patroni stops its PostgreSQL before it goes.
        for name, process in reversed(self.running.items()):
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                log(f"{name} does not end, and is killed")
                process.kill()
                process.wait()


class Cluster:
    """Three PostgreSQL under Patroni and etcd."""

    def __init__(self, programs, python):
        self.programs, self.python, self.binaries = programs, python, postgres_binaries()
        self.etcd = (free_port(), free_port())
        self.nodes = [{"name": f"node{n}", "rest": free_port(), "port": free_port()} for n in range(1, NODES + 1)]

    def start(self):
        client, peer = self.etcd
        self.programs.start("etcd", [
            "etcd", "--name", "etcd", "--data-dir", self.path("etcd"),
            "--listen-client-urls", f"http://127.0.0.1:{client}", "--advertise-client-urls", f"http://127.0.0.1:{client}",
            "--listen-peer-urls", f"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
            "--initial-cluster", f"etcd=http://127.0.0.1:{peer}",
        ])
        wait("etcd", lambda: answers(f"http://127.0.0.1:{client}/health"))
        for node in self.nodes:
            self.write(node)
            self.programs.start(node["name"], [self.python, "-m", "patroni", self.path(f"{node['name']}.yml")])
            if node is self.nodes[0]:
                wait("the first leader", lambda: self.leader() is node)
        wait("two replicas, one of them synchronous", self.is_complete)

    def path(self, name):
        return os.path.join(self.programs.folder, name)

    def write(self, node):
        # JSON is YAML.
        config = {
            "scope": "scim",
            "name": node["name"],
            "restapi": {"listen": f"127.0.0.1:{node['rest']}", "connect_address": f"127.0.0.1:{node['rest']}"},
            "etcd3": {"host": f"127.0.0.1:{self.etcd[0]}"},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL, "loop_wait": 2, "retry_timeout": 3, "synchronous_mode": True, "synchronous_mode_strict": True,
                    "postgresql": {"use_pg_rewind": False, "parameters": {"max_connections": 60, "shared_buffers": "32MB"}},
                },
                "initdb": [{"encoding": "UTF8"}, {"auth": "trust"}, {"locale": "C.UTF-8"}],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{node['port']}",
                "connect_address": f"127.0.0.1:{node['port']}",
                "data_dir": self.path(node["name"]),
                "bin_dir": self.binaries,
                "pgpass": self.path(f"{node['name']}.pgpass"),
                "authentication": {"superuser": {"username": "postgres"}, "replication": {"username": "postgres"}},
                "parameters": {"unix_socket_directories": ""},
                "pg_hba": ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"],
            },
        }
        with open(self.path(f"{node['name']}.yml"), "w") as out:
            json.dump(config, out, indent=1)

    def states(self):
        for node in self.nodes:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{node['rest']}/cluster", timeout=2) as answer:
                    return {member["name"]: member for member in json.load(answer)["members"]}
            except (OSError, ValueError, KeyError):
                continue
        return {}

    def leader(self):
        states = self.states()
        leads = lambda node: states.get(node["name"], {}).get("role") == "leader"
        return next((node for node in self.nodes if leads(node) and states[node["name"]]["state"] == "running"), None)

    def is_complete(self):
        members = self.states().values()
        streaming = [member for member in members if member.get("state") == "streaming"]
        return len(streaming) == NODES - 1 and any(member["role"] == "sync_standby" for member in members)

    def url(self):
        hosts = ",".join(f"127.0.0.1:{node['port']}" for node in self.nodes)
        return f"postgres://postgres@{hosts}/postgres?target_session_attrs=read-write&connect_timeout=2"

    def kill(self, node):
        """Ends a node as a power cut would: Patroni, the postmaster and every process of its own."""
        postmaster = int(open(os.path.join(self.path(node["name"]), "postmaster.pid")).readline())
        backends = children(postmaster)
        for victim in [self.programs.running[node["name"]].pid, postmaster, *backends]:
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                pass


def children(parent):
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            words = open(path).read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(words[1]) == parent:
            found.append(int(path.split("/")[2]))
    return found


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def wait(what, condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not there after {PATIENCE} s")
        time.sleep(0.2)
    log(f"there: {what}")


class Endpoint:
    """The SCIM endpoint of the server."""

    def __init__(self, base, token):
        self.host, self.path = base.removeprefix("http://").split("/", 1)
        self.token, self.connections = token, threading.local()

    def ask(self, method, path, body=None):
        connection = getattr(self.connections, "own", None)
        if connection is None:
            connection = self.connections.own = http.client.HTTPConnection(self.host, timeout=30)
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/scim+json"}
        try:
            connection.request(method, f"/{self.path}{path}", body and json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            self.connections.own = None
            return 0, {}
        return answer.status, json.loads(content) if content else {}


class Writers:
    """Create users and put each into one group, and note what was acknowledged and when."""

    def __init__(self, endpoint, group):
        self.endpoint, self.group = endpoint, group
        self.acknowledged, self.joined, self.moments, self.odd = [], [], [], []
        self.stopped, self.lock, self.troubles = threading.Event(), threading.Lock(), 0

    def run(self, number):
        turn = 0
        while not self.stopped.is_set():
            turn += 1
            name = f"user{number}-{turn}@example.com"
            user = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name,
                    "emails": [{"value": name, "primary": True}]}
            created = self.until_answered("POST", "/Users", user, (201, 409))
            if created is None:
                return
            status, body = created
            if status == 409:
                # An earlier attempt was written although nobody could tell us so. That is what the unique name is for.
                found = self.until_answered("GET", f"/Users?filter=userName%20eq%20%22{name}%22", None, (200,))
                if found is None:
                    return
                body = found[1]["Resources"][0]
            self.note(self.acknowledged, (name, body["id"]))
            joining = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                       "Operations": [{"op": "add", "path": "members", "value": [{"value": body["id"]}]}]}
            if self.until_answered("PATCH", f"/Groups/{self.group}", joining, (200, 204)) is None:
                return
            self.note(self.joined, body["id"])

    def until_answered(self, method, path, body, wanted):
        """Asks again while the server says that it cannot now, as a provider does."""
        while True:
            status, answer = self.endpoint.ask(method, path, body)
            if status in wanted:
                return status, answer
            with self.lock:
                self.troubles += 1
                if status not in (0, 503):
                    self.odd.append((method, path, status, answer.get("detail")))
                    return None
            if self.stopped.is_set():
                return None
            time.sleep(0.2)

    def note(self, where, what):
        with self.lock:
            where.append(what)
            self.moments.append(time.monotonic())

    def gap(self, since):
        """The longest time without an acknowledgement, from then on."""
        moments = [since, *sorted(moment for moment in self.moments if moment >= since)]
        return max((later - earlier for earlier, later in zip(moments, moments[1:])), default=float("inf"))


def start_server(programs, server, url):
    subprocess.run([server, "migrate", "--database", url], check=True, timeout=60, stdout=subprocess.DEVNULL)
    process = programs.start(
        "server", [server, "--listen", "127.0.0.1:0", "--database", url, "--rate-limit", "off", "--json"],
        as_owner=False, stdout=subprocess.PIPE
    )
    said = json.loads(process.stdout.readline())
    return process, Endpoint(said["base"], said["token"])


def check(endpoint, writers, group, server, url):
    """What must hold when all is over. Answers what does not."""
    wrong = [f"unexpected answer: {odd}" for odd in writers.odd]
    for name, known in writers.acknowledged:
        status, body = endpoint.ask("GET", f"/Users/{known}")
        if status != 200 or body.get("userName") != name:
            wrong.append(f"{name} was acknowledged and is lost: {status}")
    everybody, start = [], 1
    while True:
        status, page = endpoint.ask("GET", f"/Users?startIndex={start}&count=200&attributes=userName")
        if status != 200 or not page.get("Resources"):
            break
        everybody += [one["userName"] for one in page["Resources"]]
        start += len(page["Resources"])
    if len(everybody) != len(set(everybody)):
        wrong.append("somebody is there twice")
    if missing := {name for name, _ in writers.acknowledged} - set(everybody):
        wrong.append(f"missing in the list: {sorted(missing)}")
    status, body = endpoint.ask("GET", f"/Groups/{group}")
    members = {member["value"] for member in body.get("members", [])}
    if lost := set(writers.joined) - members:
        wrong.append(f"members that were acknowledged are lost: {sorted(lost)}")
    verified = subprocess.run(
        [server, "audit", "verify", "--org", "default", "--database", url, "--json"], capture_output=True, text=True, timeout=60
    )
    log(f"the log: {' '.join((verified.stdout or verified.stderr).split())}")
    if verified.returncode != 0:
        wrong.append("the chain of the log does not hold")
    return wrong, len(everybody), len(members)


def play(programs, arguments):
    cluster = Cluster(programs, arguments.python)
    cluster.start()
    url = cluster.url()
    server, endpoint = start_server(programs, arguments.server, url)
    log("the server is there")
    status, group = endpoint.ask("POST", "/Groups", {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Everybody"})
    assert status == 201, (status, group)
    writers = Writers(endpoint, group["id"])
    with ThreadPoolExecutor(WRITERS) as pool:
        running = [pool.submit(writers.run, number) for number in range(WRITERS)]
        try:
            time.sleep(arguments.before)
            victim = cluster.leader()
            before = len(writers.acknowledged)
            killed = time.monotonic()
            cluster.kill(victim)
            log(f"killed the leader, {victim['name']}, after {before} users")
            wait("another leader", lambda: cluster.leader() not in (None, victim))
            elected = time.monotonic()
            wait("acknowledged writes", lambda: len(writers.acknowledged) > before + WRITERS + 1
                 and writers.moments[-1] > elected)
            time.sleep(arguments.after)
        finally:
            writers.stopped.set()
        for one in running:
            one.result()
    if server.poll() is not None:
        sys.exit("the server has ended")
    wrong, users, members = check(endpoint, writers, group["id"], arguments.server, url)
    log(f"{len(writers.acknowledged)} users acknowledged, {users} there, {members} members; {writers.troubles} attempts were refused or broken")
    log(f"the gap: {writers.gap(killed):.1f} s without an acknowledged write, {elected - killed:.1f} s of them without a leader")
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--before", type=float, default=5)
    parser.add_argument("--after", type=float, default=5)
    parser.add_argument("--keep", action="store_true", help="leave the folder with the logs behind")
    arguments = parser.parse_args()
    arguments.server = os.path.abspath(arguments.server)
    user = owner()
    folder = tempfile.mkdtemp(prefix="scim-failover.")
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
    programs = Programs(folder, user)
    # Whoever ends this ends what it started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    try:
        wrong = play(programs, arguments)
    finally:
        programs.end()
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)
    for line in wrong:
        print(f"WRONG: {line}")
    print("failed" if wrong else "nothing that was acknowledged is lost")
    sys.exit(bool(wrong))


BEGAN = time.monotonic()
if __name__ == "__main__":
    main()
