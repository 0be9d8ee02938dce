"""Parameters of the electric furnace (electric.py): value, range, and where each number comes from.

"Facts": the project's collected sources, here the muffle furnace of 9 l and 3 kW in three states (D5) and, for the
thermocouple, the bench furnace of 1.5 kW (D6). "Own": own choice, with the reason.
Live parameters may be set at any time; every other one needs the model's start() afterwards.
"""

INPUTS = ("heat_pct", "contactor_pct", "door_pct")

# name: (value, lowest, highest)
PARAMETERS = {
    # ---- Power
    # Facts (D5): 3 kW. Own: mains in parts of the nominal voltage; power goes with its square. Live: mains.
    "power_w": (3000.0, 100.0, 20000.0),
    "mains": (1.0, 0.0, 1.2),
    # Own: what fails in the power circuit, 1 while it does. A semiconductor relay mostly fails shorted, a
    # contactor welded. Live.
    "ssr_shorted": (0.0, 0.0, 1.0),
    "contactor_welded": (0.0, 0.0, 1.0),
    "element_broken": (0.0, 0.0, 1.0),
    # Own: melting point of an iron-chromium-aluminium wire, from memory.
    "element_melts_c": (1500.0, 1000.0, 1900.0),
    # ---- Heat capacities
    # Facts (D5): element, lining; chamber with its crucibles as one.
    "element_j_k": (900.0, 100.0, 20000.0),
    "lining_j_k": (9000.0, 500.0, 500000.0),
    "chamber_j_k": (900.0, 100.0, 20000.0),
    # ---- Heat exchange
    # Facts (D5): loss of the lining; grey radiation. Own: areas times grey exchange factors. The element's
    # 0.1 m2 carry 3 W/cm2 at full power, as wire in grooves does; a chamber of 9 l has 0.27 m2 of wall, at a
    # factor of 0.55.
    "loss_w_k": (0.95, 0.1, 20.0),
    "element_lining_m2": (0.05, 0.0, 0.15),
    "element_chamber_m2": (0.05, 0.0, 0.15),
    "lining_chamber_m2": (0.15, 0.0, 0.15),
    # Own: conduction and free convection beside it, wire in grooves of the lining; without them a cold furnace would
    # exchange next to nothing.
    "element_lining_w_k": (2.0, 0.0, 5.0),
    "element_chamber_w_k": (1.0, 0.0, 5.0),
    "lining_chamber_w_k": (1.5, 0.0, 5.0),
    # Own: an opening of 0.15 m by 0.15 m, grey factor 0.9, and the air that it exchanges.
    "door_m2": (0.02, 0.0, 0.05),
    "door_w_k": (1.0, 0.0, 5.0),
    # Own: room. Live.
    "ambient_c": (25.0, -40.0, 50.0),
    # Own: all of it is as warm at the start, as a furnace that stood for long.
    "start_c": (25.0, -40.0, 1200.0),
    # ---- Thermocouples
    # Facts (D6): 8 s. Own: the limit thermocouple is thicker, and sees something of the element. Live: errors.
    "chamber_tc_s": (8.0, 1.0, 300.0),
    "limit_tc_s": (15.0, 1.0, 300.0),
    "limit_sees_element": (0.1, 0.0, 1.0),
    "chamber_tc_k": (0.0, -50.0, 50.0),
    "limit_tc_k": (0.0, -50.0, 50.0),
    # ---- Limiter
    # Own: none; with one the furnace can't destroy itself. Live.
    "limiter_c": (0.0, 0.0, 1800.0),
}


def totals(model):
    """Electricity, and where it went."""
    return {
        "energy_kwh": round(model.energy_kwh, 3),
        "lost_kwh": round(model.lost_kwh, 3),
        "stored_kwh": round(model.stored_j / 3.6e6, 3),
    }


def failure(model):
    """Why the plant can't go on, or nothing."""
    if model.element_melted:
        return f"the element was hotter than {model.element_melts_c:.0f} degC and has melted"
    return ""
