"""The ways that a run with faults goes: what starts the local service and the run, and the requests
between them by kind, as rules of tests/support/fault_proxy.py choose them.

SLUICE_LAB_BACKEND chooses, as in tests/crash/lab.py: `vertex` is Vertex AI and Cloud Storage, `tables` is
Vertex AI and tables of BigQuery.
"""

import json
import os
import pathlib
import shutil

import harness


class Gemini:
    name = "gemini"
    ASKED = (["--dim", "8"], [])  # what a run may ask of the model, the usual first
    FILES = ("v.npy", "v.ids.jsonl")  # what it makes, the output first
    START = {"method": "POST", "path": "^/upload/", "upload": "start"}
    SEND = {"method": "POST", "path": "upload_id=", "upload": "^upload"}
    QUERY = {"method": "POST", "path": "upload_id=", "upload": "query"}
    CREATE = {"method": "POST", "path": ":asyncBatchEmbedContent"}
    LIST = {"method": "GET", "path": r"/batches\?"}
    POLL = {"method": "GET", "path": "/batches/"}
    DOWNLOAD = {"method": "GET", "path": ":download"}
    JOBS, JOB = "batches", "batches/[a-z0-9]+"  # what names of jobs begin with, and a whole one
    NO_ROOM = {"status": "RESOURCE_EXHAUSTED", "message": "storage quota of 20 GB"}

    @staticmethod
    def service_arguments(_scene):
        return []

    @staticmethod
    def environment(_scene, _base_url):
        return {"GEMINI_API_KEY": harness.KEY}

    @staticmethod
    def run_arguments(base_url):
        return ["--base-url", base_url, "--model", "sluice-lexical-1"]

    @staticmethod
    def keep_for_others(_scene, _folder):
        """There is nothing that is dear to make."""


class Vertex:
    """Everything goes to the one address: jobs, objects and sign-ins."""

    name = "vertex"
    ASKED, FILES = Gemini.ASKED, Gemini.FILES
    START = {"method": "POST", "path": "^/upload/storage/"}
    SEND = {"method": "PUT", "path": "upload_id=", "range": r"^bytes \d"}
    QUERY = {"method": "PUT", "path": "upload_id=", "range": r"^bytes \*"}
    CREATE = {"method": "POST", "path": "/batchPredictionJobs$"}
    LIST = {"method": "GET", "path": r"/batchPredictionJobs\?"}
    POLL = {"method": "GET", "path": "/batchPredictionJobs/"}
    DOWNLOAD = {"method": "GET", "path": "^/storage/.*/o/.*alt=media"}
    LIST_OBJECTS = {"method": "GET", "path": r"^/storage/.*/o\?.*prefix="}
    DESCRIBE = {"method": "GET", "path": r"^/storage/.*/o/[^?]+$"}  # an object, without its bytes
    DELETE = {"method": "DELETE", "path": "^/storage/"}
    TOKEN = {"method": "POST", "path": "^/v1/token$"}
    JOBS, JOB = "batchPredictionJobs", "batchPredictionJobs/[0-9]+"
    NO_ROOM = {"errors": [{"reason": "rateLimitExceeded"}], "message": "too many changes of a bucket"}
    BUCKET = "faults-lab"
    account = None  # the key file of a service account, which takes a second to make

    @classmethod
    def service_arguments(cls, scene):
        """With an account, the service wants tokens: there is something to go astray."""
        path = scene.folder / "account.json"
        if cls.account:
            shutil.copy(cls.account, path)
        return ["--bucket", cls.BUCKET, "--credentials-file", path]

    @classmethod
    def keep_for_others(cls, scene, folder):
        """This scene's account is that of all to come."""
        cls.account = shutil.copy(scene.folder / "account.json", pathlib.Path(folder, "account.json"))

    @staticmethod
    def environment(scene, base_url):
        """Signed in by a workload identity: of all kinds the one whose secret is in a file of its own."""
        key = scene.folder / "subject-key"
        key.write_text(harness.KEY, encoding="utf-8")
        sign_in = scene.folder / "sign-in.json"
        sign_in.write_text(json.dumps({
            "type": "external_account", "audience": "//iam.googleapis.com/pools/faults",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": f"{base_url}/v1/token", "credential_source": {"file": str(key)}}), encoding="utf-8")
        return {"GOOGLE_APPLICATION_CREDENTIALS": str(sign_in)}

    @classmethod
    def run_arguments(cls, base_url):
        return ["--base-url", base_url, "--backend", "vertex", "--project", "faults-lab",
                "--location", "us-central1", *cls.place()]

    @classmethod
    def place(cls):
        return ["--bucket", f"{cls.BUCKET}/runs"]


class Tables(Vertex):
    """Requests and answers are rows of tables; only models that generate read such. An upload is one
    request, which becomes a job of BigQuery."""

    name = "tables"
    ASKED, FILES = (["--task", "generate"],), ("v.jsonl",)
    DATASET = {"method": "GET", "path": r"^/bigquery/v2/projects/[^/]+/datasets/[^/]+$"}
    MAKE_DATASET = {"method": "POST", "path": "^/bigquery/v2/projects/[^/]+/datasets$"}
    SEND = {"method": "POST", "path": "^/upload/bigquery/"}
    INSERT = {"method": "POST", "path": "^/bigquery/v2/projects/[^/]+/jobs$"}
    LOAD = {"method": "GET", "path": "^/bigquery/v2/projects/[^/]+/jobs/"}
    DESCRIBE = {"method": "GET", "path": "^/bigquery/v2/.*/tables/out_[^/]+$"}
    DOWNLOAD = {"method": "GET", "path": r"^/bigquery/v2/.*/data\?"}
    DELETE = {"method": "DELETE", "path": "^/bigquery/"}

    @classmethod
    def place(cls):
        return ["--bigquery-dataset", "faults"]


WIRE = {"vertex": Vertex, "tables": Tables}.get(os.environ.get("SLUICE_LAB_BACKEND"), Gemini)
