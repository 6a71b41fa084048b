"""What Streamlit does while a server starts, and ours does without."""

import subprocess
import sys

from streamlit.components.v2.component_manager import BidiComponentManager

from core.settings import ROOT

PROGRAM = """
import sys
import streamlit_app
from streamlit.components.v2.component_manager import BidiComponentManager
BidiComponentManager().discover_and_register_components()
print("streamlit.components.v2.manifest_scanner" in sys.modules, "babel" in sys.modules)
"""


def test_no_component_and_no_language_is_loaded_that_nobody_asked_for(tmp_path):
    assert callable(BidiComponentManager.discover_and_register_components), "1.67.0 looks for them by this"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env={"DATA_DIR": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.stdout.strip() == "False False", done.stderr
