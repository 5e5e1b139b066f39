#!/usr/bin/env python3
"""Checks hearsay.yaml: against Kubernetes' published schemas (PyPI: kubernetes-validate), against itself, and with Hearsay.

  check.py HEARSAY [FILE]    HEARSAY is the program; prints every fault, or one line
"""

import os
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml

# The oldest version of Kubernetes that is checked against, and the newest that the schemas are there for.
OLDEST = "1.27"


def main(program, path):
    with open(path, encoding="utf-8") as file:
        documents = [one for one in yaml.safe_load_all(file) if one]
    # What is no manifest has no parts to compare.
    faults = list(schema_faults(documents)) or list(faults_in(documents, program))
    for fault in faults:
        print("%s: %s" % (path, fault))
    if faults:
        return 1
    print("%d resources good from Kubernetes %s to %s" % (len(documents), OLDEST, kubernetes_validate.latest_version()))
    return 0


def schema_faults(documents):
    for version in [OLDEST, kubernetes_validate.latest_version()]:
        for one in documents:
            try:
                kubernetes_validate.validate(one, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield "%s of Kubernetes %s: %s" % (one.get("kind"), version, error.message)


def faults_in(documents, program):
    kinds = {}
    for one in documents:
        kinds.setdefault(one["kind"], []).append(one)
    (config,), (budget,), (stateful,) = (kinds[kind] for kind in ("ConfigMap", "PodDisruptionBudget", "StatefulSet"))
    services = {one["metadata"]["name"]: one["spec"] for one in kinds["Service"]}
    spec = stateful["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    yield from label_faults(spec, services, budget)
    yield from port_faults(container, services, spec)
    yield from node_faults(yaml.safe_load(config["data"]["cluster.yaml"]), stateful, container, services)
    yield from mount_faults(config, pod, container, spec)
    yield from program_faults(config, container, program)


def label_faults(spec, services, budget):
    labels = spec["template"]["metadata"]["labels"].items()
    terms = spec["template"]["spec"]["affinity"]["podAntiAffinity"]
    selectors = {"StatefulSet": spec["selector"]["matchLabels"],
                 "PodDisruptionBudget": budget["spec"]["selector"]["matchLabels"],
                 "anti-affinity": terms["requiredDuringSchedulingIgnoredDuringExecution"][0]["labelSelector"]["matchLabels"],
                 **{"Service " + name: one["selector"] for name, one in services.items()}}
    for name, selector in selectors.items():
        if not selector.items() <= labels:
            yield "the selector of %s does not select the pods" % name
    if not 1 <= budget["spec"]["maxUnavailable"] < spec["replicas"]:
        yield "maxUnavailable leaves no node"


def port_faults(container, services, spec):
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    for name, service in services.items():
        for port in service["ports"]:
            if ports.get(port["targetPort"]) != port["port"]:
                yield "port %s of Service %s is not the pod's" % (port["name"], name)
    for probe in ("livenessProbe", "readinessProbe"):
        if container[probe]["httpGet"]["port"] != "http":
            yield "%s does not ask the HTTP port" % probe
    if spec["template"]["metadata"]["annotations"]["prometheus.io/port"] != str(ports["http"]):
        yield "Prometheus is sent to another port"


def node_faults(cluster, stateful, container, services):
    spec = stateful["spec"]
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    headless = services[spec["serviceName"]]
    if headless.get("clusterIP") != "None" or not headless.get("publishNotReadyAddresses"):
        yield "a pod that is not ready has no name, and no broker reaches it"
    pods = ["%s-%d" % (stateful["metadata"]["name"], number) for number in range(spec["replicas"])]
    if [one["name"] for one in cluster["nodes"]] != pods:
        yield "the nodes of cluster.yaml are not the pods %s" % ", ".join(pods)
    for one in cluster["nodes"]:
        if one["listen"] != "%s.%s:%d" % (one["name"], spec["serviceName"], ports["namesrv"]):
            yield "node %s is not reached at %s" % (one["name"], one["listen"])
        if one["http"] != "0.0.0.0:%d" % ports["http"]:
            yield "node %s does not answer HTTP at the port http" % one["name"]
        if "gossip" in one or ports["gossip"] != ports["namesrv"] + 1:
            yield "node %s does not gossip at the port gossip" % one["name"]
    if argument(container, "--bind") != "0.0.0.0":
        yield "a pod listens at a name that may not lead to it yet"
    seconds = cluster.get("nameserver", {}).get("shutdownWaitTimeSeconds", 0)
    if spec["template"]["spec"]["terminationGracePeriodSeconds"] < seconds + 4:
        yield "pods are killed before they have ended"


def mount_faults(config, pod, container, spec):
    mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    volumes = {one["name"]: one for one in pod["volumes"]}
    claims = {one["metadata"]["name"] for one in spec["volumeClaimTemplates"]}
    if set(mounts) != set(volumes) | claims:
        yield "what is mounted is not what there is"
    if volumes["configuration"]["configMap"]["name"] != config["metadata"]["name"]:
        yield "another ConfigMap is mounted"
    if argument(container, "--config") != mounts["configuration"] + "/cluster.yaml":
        yield "--config is not where the ConfigMap is"
    cluster = yaml.safe_load(config["data"]["cluster.yaml"])
    for key in cluster["gossip"]["preSharedKeys"]:
        if os.path.dirname(key) != mounts["keys"]:
            yield "no Secret is mounted where %s should be" % key
    for node in cluster["nodes"]:
        if node["dataDirectory"] != mounts["data"]:
            yield "node %s writes where no volume is" % node["name"]


def program_faults(config, container, program):
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    if container["image"] != version.replace(" ", ":"):
        yield "the image %s is not of %s" % (container["image"], version)
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "cluster.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config["data"]["cluster.yaml"])
        answer = subprocess.run([program, "check", path], capture_output=True, text=True)
        if answer.returncode != 0:
            yield answer.stdout + answer.stderr
    known = subprocess.run([program, "serve", "--help"], capture_output=True, text=True).stdout
    for word in container["args"]:
        if word.startswith("--") and word + " " not in known:
            yield "serve has no option %s" % word


def argument(container, name):
    words = container["args"]
    return words[words.index(name) + 1] if name in words else None


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    here = os.path.dirname(os.path.abspath(__file__))
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else os.path.join(here, "hearsay.yaml")))
