import socket

from oms.app.free_ports import free_port


def test_ports_are_free_different_and_none_that_outgoing_connections_get() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as outgoing,
    ):
        ours = outgoing.getsockname()[1]
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50
    assert max(ports) < ours
    for port in ports[:5]:
        with socket.create_server(("127.0.0.1", port)):
            pass
