#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "services/ingest/codec/exemplar.h"

// Inside this folder.
namespace liveops::ingest {

// Whose exemplars they are.
struct ExemplarSeries {
  std::string_view service;
  std::string_view metric;
  std::string_view unit;
  std::string_view labels;
};

// Adds what OpenTelemetry's Exemplar messages say to `out`, up to 1000 in all. One without a trace
// or a number, and what is no such message, adds nothing: nothing hangs on it.
// https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exemplars
void AddExemplars(std::span<const std::string_view> messages, const ExemplarSeries& of,
                  std::vector<Exemplar>& out);

}  // namespace liveops::ingest
