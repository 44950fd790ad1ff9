#include <chrono>

#include "services/ingest/service/core.h"

namespace liveops::ingest {

void Core::AddMetrics(metrics::List& list) const {
  const auto count = [&](const char* name, const char* help, std::uint64_t value,
                         const char* status) {
    list.Counter(std::string("ingest_") + name, help, static_cast<double>(value), status);
  };
  const auto gauge = [&](const char* name, const char* help, std::size_t value,
                         const char* status) {
    list.Gauge(std::string("ingest_") + name, help, static_cast<double>(value), status);
  };
  count("requests_total", "Requests that came, by whatever protocol.", requests_, "requests");
  count("points_accepted_total", "Points that Kafka has acknowledged.", accepted_points_,
        "accepted_points");
  count("points_unavailable_total",
        "Points of requests that were refused for now, to be sent again.", refused_points_,
        "refused_points");
  count("points_invalid_total", "Points of requests that were refused whole and for good.",
        invalid_points_, "invalid_batch_points");
  for (std::size_t i = 0; i < admit::kRefusals; ++i) {
    const std::string word = admit::RefusalWord(static_cast<admit::Refusal>(i));
    const std::uint64_t points = rejected_points_[i];
    list.Counter("ingest_points_rejected_total", "Points refused for good, by reason.",
                 static_cast<double>(points), points > 0 ? "rejected_points." + word : "",
                 {{"reason", word}});
  }
  count("otlp_points_without_value_total", "OTLP points that say that there is no value.",
        no_value_points_, "otlp_points_without_value");
  count("remote_write_stale_markers_total", "Stale markers that came by remote write.",
        stale_markers_, "remote_write_stale_markers");
  count("deployments_total", "Deployments that were reported.", deployments_, "deployments");
  count("decommissions_total", "Ends of services that were reported.", decommissions_,
        "decommissions");
  count("alerts_total", "Alerts of others that were taken.", alerts_, "alerts");
  count("alerts_refused_total", "Alerts of others that were not.", refused_alerts_,
        "refused_alerts");
  const auto denied = [&](const char* status, std::uint64_t calls) {
    list.Counter("ingest_http_calls_denied_total",
                 "Calls by HTTP with no token or certificate that is known (401), or with one that "
                 "is no emitter's (403).",
                 static_cast<double>(calls), std::string("http_calls_denied.") + status,
                 {{"status", status}});
  };
  denied("401", unknown_callers_);
  denied("403", denied_callers_);
  count("ticks_total", "Ticks that Kafka has acknowledged.", ticks_, "ticks");
  count("ticks_lost_total", "Ticks that it has not.", ticks_lost_, "ticks_lost");
  count("clock_steps_held_total", "Steps of the brokers' time that were not adopted at once.",
        clock_.steps_held(), "clock_steps_held");
  gauge("in_flight_bytes", "Requests and records that Kafka has not acknowledged yet.",
        in_flight_bytes_, "in_flight_bytes");
  gauge("stream_series_bytes", "What open streams and remote writers' series take.", series_bytes_,
        "stream_series_bytes");
  gauge("producer_queue_bytes", "Records that wait in the producer.", producer_.queued_bytes(),
        "producer_queue_bytes");
  gauge("series", "Series of all services that were sent of late.", census_.size(), "series");
  gauge("services", "Services whose series were sent of late.", census_.services(), "services");
  gauge("series_limit", "limits.series_in_all.", settings_.limits.series_in_all, "");
  const auto limit = static_cast<double>(settings_.limits.series_per_service);
  for (const auto& [service, series] : census_.Largest(kServicesToldMax)) {
    const metrics::Labels labels = {{"target_service", service}};
    list.Gauge("ingest_service_series",
               "Series of a service that were sent of late, of those with most of them.",
               static_cast<double>(series), "", labels);
    list.Gauge("ingest_service_series_ratio", "The same as a share of limits.series_per_service.",
               static_cast<double>(series) / limit, "", labels);
  }
  {
    const std::lock_guard lock(newcomers_mutex_);
    for (const auto& [service, points] : newcomers_) {
      list.Counter("ingest_newcomer_points_refused_total",
                   "Points of new series that the cardinality guard refused, by their service.",
                   static_cast<double>(points), "", {{"target_service", service}});
    }
  }
  const std::lock_guard lock(rates_mutex_);
  for (const auto& [identity, requests] : rates_.refusals(kServicesToldMax)) {
    list.Counter("ingest_requests_over_rate_total",
                 "Requests refused for the rate limit of an emitter, by its identity.",
                 static_cast<double>(requests), "", {{"identity", identity}});
  }
  exemplars_.AddMetrics(list);
}

void Core::AddEmitterMetrics(metrics::List& list) const {
  list.Histogram("ingest_kafka_ack_seconds",
                 "From a record's hand-over to the producer until the brokers acknowledged it.",
                 kafka_seconds_.Read());
  for (const auto& [protocol, durations] : emitters_.Durations()) {
    list.Histogram("ingest_request_seconds", "From a request's arrival to its answer.", durations,
                   {{"protocol", protocol}});
  }
  list.Gauge("ingest_emitters", "Emitters that were heard since the start.",
             static_cast<double>(emitters_.size()));
  for (const EmitterEntry& entry : emitters_.Busiest(kEmittersToldMax)) {
    const metrics::Labels who = {{"identity", entry.name.identity},
                                 {"emitter", entry.name.emitter},
                                 {"protocol", entry.name.protocol}};
    const auto count = [&](const char* name, const char* help, std::uint64_t value) {
      list.Counter(std::string("ingest_emitter_") + name, help, static_cast<double>(value), "",
                   who);
    };
    count("requests_total", "Requests of an emitter, of those that sent most.", entry.requests);
    count("bytes_total", "Bytes of its requests, uncompressed.", entry.bytes);
    count("points_accepted_total", "Points of it that Kafka has acknowledged.",
          entry.accepted_points);
    count("requests_refused_total", "Requests of it that were refused whole.",
          entry.refused_requests);
    count("requests_over_rate_total", "Thereof for its rate limit.", entry.over_rate_requests);
    for (const auto& [reason, rejection] : entry.rejections) {
      metrics::Labels labels = who;
      labels.emplace_back("reason", admit::RefusalWord(reason));
      list.Counter("ingest_emitter_points_rejected_total",
                   "Points of it that were refused for good, by reason.",
                   static_cast<double>(rejection.points), "", std::move(labels));
    }
  }
}

std::map<std::string, double> Core::Counters() const {
  metrics::List list;
  AddMetrics(list);
  return list.ForStatus();
}

}  // namespace liveops::ingest
