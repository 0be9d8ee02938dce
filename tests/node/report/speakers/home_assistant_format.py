"""What Home Assistant documents of device discovery over MQTT, as far as sensors and binary sensors go.

From home-assistant.io: integrations/mqtt (device discovery payload, abbreviations), sensor.mqtt,
binary_sensor.mqtt, and the units of integrations/sensor by device class.
"""

import re

ABBREVIATIONS = {
    "avty_t": "availability_topic", "cmps": "components", "dev": "device", "dev_cla": "device_class",
    "ent_cat": "entity_category", "exp_aft": "expire_after",
    "json_attr_t": "json_attributes_topic", "o": "origin", "p": "platform",
    "pl_off": "payload_off", "pl_on": "payload_on", "stat_cla": "state_class", "stat_t": "state_topic",
    "uniq_id": "unique_id", "unit_of_meas": "unit_of_measurement", "val_tpl": "value_template",
}
DEVICE_ABBREVIATIONS = {"ids": "identifiers", "mf": "manufacturer", "mdl": "model", "sw": "sw_version",
                        "sn": "serial_number", "hw": "hw_version", "cu": "configuration_url"}
ORIGIN_ABBREVIATIONS = {"sw": "sw_version", "url": "support_url"}

ROOT_REQUIRED = {"device", "origin", "components"}
ROOT = ROOT_REQUIRED | {"availability_topic", "availability", "state_topic", "command_topic", "qos",
                        "encoding"}
ENTITY_REQUIRED = {"platform", "unique_id"}
ENTITY = ENTITY_REQUIRED | {"name", "state_topic", "value_template", "device_class", "entity_category",
                            "json_attributes_topic", "enabled_by_default", "expire_after", "icon", "qos"}
PLATFORMS = {
    "sensor": ENTITY | {"unit_of_measurement", "state_class", "suggested_display_precision"},
    "binary_sensor": ENTITY | {"payload_on", "payload_off", "off_delay"},
}
SENSOR_UNITS = {
    "temperature": {"°C", "°F", "K"},
    "pressure": {"Pa", "hPa", "kPa", "bar", "cbar", "mbar", "mmHg", "inHg", "psi", "inH₂O"},
    "power": {"mW", "W", "kW", "MW", "GW", "TW"},
    "energy": {"J", "kJ", "MJ", "GJ", "Wh", "kWh", "MWh", "GWh", "TWh"},
    "current": {"A", "mA"},
    "voltage": {"V", "mV", "µV", "kV", "MV"},
    "frequency": {"Hz", "kHz", "MHz", "GHz"},
    "volume_flow_rate": {"m³/h", "m³/s", "L/min", "L/h", "L/s", "ft³/min", "gal/min"},
    "speed": {"m/s", "km/h", "mm/s", "mph", "kn", "ft/s"},
    "duration": {"d", "h", "min", "s", "ms"},
    "weight": {"kg", "g", "mg", "µg", "t", "oz", "lb", "st"},
}
BINARY_CLASSES = {"problem", "connectivity", "running", "heat", "safety", "power"}
STATE_CLASSES = {"measurement", "total", "total_increasing"}
ENERGY_STATE_CLASSES = {"total", "total_increasing"}
TOPIC = re.compile(r"[^/+#]+/device/(?:[a-zA-Z0-9_-]+/)?[a-zA-Z0-9_-]+/config")


def expand(content: dict) -> dict:
    """The payload with every abbreviation written out; one that is not documented stays, and is refused."""
    full = {ABBREVIATIONS.get(key, key): value for key, value in content.items()}
    full["device"] = {DEVICE_ABBREVIATIONS.get(key, key): value for key, value in full["device"].items()}
    full["origin"] = {ORIGIN_ABBREVIATIONS.get(key, key): value for key, value in full["origin"].items()}
    full["components"] = {
        name: {ABBREVIATIONS.get(key, key): value for key, value in component.items()}
        for name, component in full["components"].items()
    }
    return full


def check(topic: str, content: dict) -> dict:
    """Fail where the payload is not as documented; the payload without abbreviations."""
    assert TOPIC.fullmatch(topic), topic
    full = expand(content)
    assert ROOT_REQUIRED <= full.keys() <= ROOT, full.keys()
    device = full["device"]
    assert device["identifiers"] and isinstance(device["name"], str)
    assert device.keys() <= {*DEVICE_ABBREVIATIONS.values(), "name"}
    assert full["origin"]["name"] and full["origin"].keys() <= {*ORIGIN_ABBREVIATIONS.values(), "name"}
    assert full.get("qos", 0) in (0, 1, 2)
    unique = []
    for name, entity in full["components"].items():
        assert re.fullmatch(r"[a-zA-Z0-9_-]+", name), name
        if entity.keys() == {"platform"}:
            continue  # removes the entity
        check_entity(entity, full)
        unique.append(entity["unique_id"])
    assert len(set(unique)) == len(unique)
    return full


def check_entity(entity: dict, root: dict):
    platform = entity["platform"]
    assert ENTITY_REQUIRED <= entity.keys() <= PLATFORMS[platform], entity
    assert entity.get("state_topic") or root.get("state_topic"), "a sensor needs a state_topic"
    kind = entity.get("device_class")
    if platform == "binary_sensor":
        assert kind is None or kind in BINARY_CLASSES
        return
    unit = entity.get("unit_of_measurement")
    assert unit is None or unit
    if kind is not None:
        assert unit in SENSOR_UNITS[kind], f"{kind} in {unit}"
    state_class = entity.get("state_class")
    assert state_class is None or state_class in STATE_CLASSES
    if kind == "energy":
        assert state_class in ENERGY_STATE_CLASSES
    assert (unit is None) or state_class, "a number has a state class"
