#pragma once

#include "services/ingest/service/core.h"
#include "services/ingest/service/http_face.h"
#include "services/ingest/service/http_settings.h"

namespace liveops::ingest {

// Every way in by HTTP, by its path; docs/ingest.md lists them. `core` must outlive them.
HttpRoutes MakeHttpRoutes(Core& core, const HttpSettings& settings);

}  // namespace liveops::ingest
