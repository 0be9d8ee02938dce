import pytest

from tests.node.report.brokers import Mosquitto, Subscriber


@pytest.fixture
def mosquitto(tmp_path):
    broker = Mosquitto(tmp_path).start()
    yield broker
    broker.stop()


@pytest.fixture
def subscriber(mosquitto):
    listener = Subscriber(mosquitto.port)
    yield listener
    listener.close()
