#pragma once

#include "services/ingest/service/core.h"
#include "services/ingest/service/http_face.h"
#include "services/ingest/service/http_settings.h"
#include "services/ingest/service/log_intake.h"
#include "services/ingest/service/span_intake.h"

namespace liveops::ingest {

// Every way in by HTTP, by its path; docs/ingest.md lists them. All but the settings
// must outlive them.
HttpRoutes MakeHttpRoutes(Core& core, SpanIntake& spans, LogIntake& logs,
                          const HttpSettings& settings);

}  // namespace liveops::ingest
