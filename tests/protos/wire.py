"""
The protos as descriptors, and the questions that tests ask of them.
"""

import functools
import importlib
import subprocess
import sys
import tempfile

from collections.abc import Iterator
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet


ROOT = Path(__file__).parents[2]
PROTOS = ROOT / "protos"
PACKAGE = PROTOS / "clientela" / "v1"

READS = ("Get", "List", "Find", "Count", "Explain", "Read", "Follow", "Export", "Backtest")
"""How the names of rpcs begin that change nothing; all others are mutations."""

RUNNING = frozenset({"HistoryService", "OperationService", "ParkedService"})
"""Services whose rpcs change no record by themselves and take no request id: they are for
operators, or bring commands along that have one each."""

COMMON_FIELDS_END = 10
"""Numbers below it belong to what all mutations, or all lists, have in common."""


def modules() -> list[str]:
    """Names of the protos, sorted."""
    return sorted(path.stem for path in PACKAGE.glob("*.proto"))


@functools.cache
def methods() -> dict[str, MethodDescriptor]:
    """Every rpc by its name, which is unique in the package."""
    found = {}
    for name in modules():
        module = importlib.import_module(f"clientela.v1.{name}_pb2")
        for service in module.DESCRIPTOR.services_by_name.values():
            found.update(service.methods_by_name.items())
    return found


def mutations() -> dict[str, MethodDescriptor]:
    """Every rpc that changes a record, by its name."""
    return {
        name: method
        for name, method in methods().items()
        if not name.startswith(READS) and method.containing_service.name not in RUNNING
    }


def reads() -> dict[str, MethodDescriptor]:
    """Every rpc that changes nothing, by its name."""
    return {name: method for name, method in methods().items() if name.startswith(READS)}


@functools.cache
def messages() -> dict[str, Descriptor]:
    """Every message of the package by its full name, nested ones included."""
    found: dict[str, Descriptor] = {}
    for name in modules():
        module = importlib.import_module(f"clientela.v1.{name}_pb2")
        waiting = list(module.DESCRIPTOR.message_types_by_name.values())
        while waiting:
            message = waiting.pop()
            found[message.full_name] = message
            waiting.extend(message.nested_types)
    return found


def fields_within(message: Descriptor) -> Iterator[FieldDescriptor]:
    """Every field of *message* at any depth, those of imported messages included."""
    met = {message.full_name}
    waiting = [message]
    while waiting:
        for field in waiting.pop().fields:
            yield field
            inner = field.message_type
            if inner is not None and inner.full_name not in met:
                met.add(inner.full_name)
                waiting.append(inner)


@functools.cache
def sources() -> dict[str, FileDescriptorProto]:
    """The protos with their comments, by the name of the file, compiled afresh."""
    googleapis = distribution("googleapis-common-protos").locate_file(".")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "image"
        subprocess.run(
            [
                *(sys.executable, "-m", "grpc_tools.protoc"),
                f"--proto_path={PROTOS}",
                f"--proto_path={files('grpc_tools') / '_proto'}",
                f"--proto_path={googleapis}",
                "--include_source_info",
                f"--descriptor_set_out={target}",
                *(f"clientela/v1/{name}.proto" for name in modules()),
            ],
            cwd=PROTOS,
            check=True,
        )
        image = FileDescriptorSet.FromString(target.read_bytes())
    return {file.name: file for file in image.file}


@functools.cache
def rpc_comments() -> dict[str, str]:
    """The comment of every rpc by its name."""
    service_tag = FileDescriptorProto.SERVICE_FIELD_NUMBER
    method_tag = 2
    found = {}
    for file in sources().values():
        for location in file.source_code_info.location:
            match list(location.path):
                case [kind, service, inner, method] if (kind, inner) == (service_tag, method_tag):
                    found[file.service[service].method[method].name] = location.leading_comments
    return found


def heading(name: str) -> str:
    """What stands at the head of one proto, before its first statement."""
    text = (PACKAGE / f"{name}.proto").read_text(encoding="utf-8")
    head, _, _ = text.partition('syntax = "proto3";')
    return head
