#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/labels.h"
#include "liveops/v1/alarms.pb.h"
#include "liveops/v1/logs.pb.h"

// Where to look when an alarm fires: observations of the metrics that it reads, with their traces.
// Thread-safe; errors do not occur.
namespace liveops::runtime {

// Of `all`, which are of the alarm's service, those that show why it fired: of a ratio the part
// (failed requests), of a shortfall what is missing, else what is measured; of the alarm's group;
// from the time in which the condition became and was true. Greatest value first, each trace once,
// at most `most`. None of an alarm that does not fire, that fires on too little, or that somebody
// else judges.
std::vector<v1::Exemplar> TellingExemplars(const v1::AlarmTransition& alarm,
                                           std::vector<v1::Exemplar> all, std::size_t most);

// From when on the observations of TellingExemplars are, and until when: domain ms.
std::int64_t ExemplarsFrom(const v1::AlarmTransition& alarm);
std::int64_t ExemplarsUntil(const v1::AlarmTransition& alarm);

// Of its series.
Labels LabelsOf(const v1::Exemplar& exemplar);
// What was done, by OpenTelemetry's names of labels: "GET /games/:id"; else the labels, else "".
std::string OperationOf(const v1::Exemplar& exemplar);
// Hexadecimal, as tools that keep traces want it.
std::string TraceIdOf(const v1::Exemplar& exemplar);
std::string SpanIdOf(const v1::Exemplar& exemplar);  // "" = none
// That it failed: a span's status, or an HTTP status of 500 or more.
bool HasFailed(const v1::Exemplar& exemplar);

}  // namespace liveops::runtime
