// sluice, as a library: what a program includes.
//
//   auto client = sluice::MakeClient();             // key and address from the environment
//   auto file = (*client)->files().UploadFile("requests.jsonl");
//   auto job = (*client)->batches().Create({...}).result();
//
// Every call that can fail returns Result<T>, which is std::expected<T, Error>; an Error carries a
// code, a message that names the thing, a hint, the HTTP status and the pause that the service
// asked for. Nothing throws but std::bad_alloc. docs/library.md shows a whole workflow.
//
//   client.h                 Client: key, connection and clock in one object
//   batches/batches_client.h Batches: create, get, list, wait, cancel, delete, responses
//   batches/request_lines.h  a file of requests in the form that a job takes
//   batches/batch_job.h      BatchJob and its states
//   batches/job_response.h   JobResponse: vector, text or error of one request
//   files/files_client.h     Files: upload, get, list, delete, download
//   files/stage_source.h     what an upload sends
//   http/retry.h             what is repeated, and when
#pragma once

#include "api/batches/batch_job.h"
#include "api/batches/batches_client.h"
#include "api/batches/create_job.h"
#include "api/batches/job_response.h"
#include "api/batches/request_lines.h"
#include "api/client.h"
#include "api/files/files_client.h"
#include "api/files/remote_file.h"
#include "api/files/stage_source.h"
#include "api/http/paged_list.h"
#include "api/http/retry.h"
#include "io/base/clock.h"
#include "io/base/error.h"
