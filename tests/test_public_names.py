import nas_fpga


def test_every_public_name_is_there():
    assert set(nas_fpga.__all__) == {name for names in nas_fpga._ROOMS.values() for name in names}
    for name in nas_fpga.__all__:
        assert getattr(nas_fpga, name).__name__ == name
