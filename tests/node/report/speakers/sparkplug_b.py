"""Sparkplug B payloads by Google's own protobuf package: the oracle of edge.node.report.speakers.protobuf.

The message is built from a table of its fields, as the Sparkplug 3.0 specification numbers them in chapter 6.
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

UINT32, UINT64 = "uint32", "uint64"
FLOAT, DOUBLE, BOOL, STRING, BYTES = "float", "double", "bool", "string", "bytes"

# message: [(number, name, type, repeated, in the oneof "value")]
MESSAGES = {
    "PropertyValue": [
        (1, "type", UINT32, 0, 0), (2, "is_null", BOOL, 0, 0), (3, "int_value", UINT32, 0, 1),
        (4, "long_value", UINT64, 0, 1), (5, "float_value", FLOAT, 0, 1), (6, "double_value", DOUBLE, 0, 1),
        (7, "boolean_value", BOOL, 0, 1), (8, "string_value", STRING, 0, 1),
    ],
    "PropertySet": [(1, "keys", STRING, 1, 0), (2, "values", ".sparkplug.PropertyValue", 1, 0)],
    "Metric": [
        (1, "name", STRING, 0, 0), (2, "alias", UINT64, 0, 0), (3, "timestamp", UINT64, 0, 0),
        (4, "datatype", UINT32, 0, 0), (5, "is_historical", BOOL, 0, 0), (6, "is_transient", BOOL, 0, 0),
        (7, "is_null", BOOL, 0, 0), (9, "properties", ".sparkplug.PropertySet", 0, 0),
        (10, "int_value", UINT32, 0, 1), (11, "long_value", UINT64, 0, 1), (12, "float_value", FLOAT, 0, 1),
        (13, "double_value", DOUBLE, 0, 1), (14, "boolean_value", BOOL, 0, 1),
        (15, "string_value", STRING, 0, 1), (16, "bytes_value", BYTES, 0, 1),
    ],
    "Payload": [
        (1, "timestamp", UINT64, 0, 0), (2, "metrics", ".sparkplug.Metric", 1, 0), (3, "seq", UINT64, 0, 0),
        (4, "uuid", STRING, 0, 0), (5, "body", BYTES, 0, 0),
    ],
}


def _make():
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="sparkplug_b.proto", package="sparkplug", syntax="proto2")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        if any(one_of for *_, one_of in fields):
            message.oneof_decl.add(name="value")
        for number, field_name, kind, repeated, one_of in fields:
            field = message.field.add(name=field_name, number=number)
            field.label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            if kind.startswith("."):
                field.type, field.type_name = kinds.TYPE_MESSAGE, kind
            else:
                field.type = getattr(kinds, "TYPE_" + kind.upper())
            if one_of:
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("sparkplug.Payload"))


Payload = _make()


def read(data: bytes):
    """The message in ``data``, every field of it known: what we write has no other."""
    payload = Payload.FromString(data)
    assert payload.SerializeToString(deterministic=True) == data, "not as Google writes it"
    return payload


def value(metric):
    """The value of a metric, with the sign that its datatype gives it; None for null."""
    which = metric.WhichOneof("value")
    if which is None:
        return None
    found = getattr(metric, which)
    if which == "long_value" and metric.datatype in (0, 4) and found >= 1 << 63:
        found -= 1 << 64
    return found


def properties(metric) -> dict:
    """{key: (type, value)}"""
    found = metric.properties
    assert len(found.keys) == len(found.values)
    return {key: (value.type, getattr(value, value.WhichOneof("value")))
            for key, value in zip(found.keys, found.values, strict=True)}
