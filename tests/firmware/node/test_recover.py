"""A node on its own whose step fails comes up again as after a watchdog's reset."""

from ascnode_fw.flight import layout as f_
from ascnode_fw.plant import layout as p_
from ascnode_fw.wire import dictionary as d
from firmware.node.rig import Rig


def test_it_starts_afresh_at_the_time_it_had_with_the_cause_and_one_boot_more() -> None:
    rig = Rig()
    rig.settle(100)
    f = rig.node.computer.f
    now_s, boots = f[f_.NOW_S], f[f_.BOOTS]
    rig.node.plant.state[p_.ENERGY_J] //= 2
    plant = list(rig.node.plant.state)
    rig.node.recover()
    f = rig.node.computer.f
    assert (f[f_.NOW_S], f[f_.BOOTS], rig.node.cause) == (now_s, boots + 1, d.WATCHDOG)
    assert f[f_.MODE] == d.SAFE
    assert list(rig.node.plant.state) == plant  # a reset moves neither charge nor heat
    rig.node.step()
    assert f[f_.NOW_S] == now_s + 1
