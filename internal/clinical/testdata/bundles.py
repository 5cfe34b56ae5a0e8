"""Writes synthetic bundles of PyPI carebundle, a line each: as it makes them, and with
defects that it puts in. The first argument is how many."""

import json
import sys

from carebundle import PROFILES, generate_bundle, to_json
from carebundle.imperfection import Imperfection, inject

DEFECTS = Imperfection(
    missing_field=0.1, duplicate_entry=0.1, out_of_order_timestamp=0.1, unparseable_value=0.2, unknown_code_system=0.1
)

for seed in range(int(sys.argv[1])):
    profile = sorted(PROFILES)[seed % len(PROFILES)]
    clean = json.loads(to_json(generate_bundle(profile=profile, seed=seed, sex="FM"[seed % 2])))
    dirty, defects = inject(clean, DEFECTS, seed=seed)
    print(json.dumps({"clean": clean, "dirty": dirty, "defects": [{"kind": d.kind, "entry": d.entry_index} for d in defects]}))
