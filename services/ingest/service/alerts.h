#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "services/ingest/service/core.h"
#include "services/ingest/source/alert/foreign_alert.h"

namespace liveops::ingest {

// What ingest does with alerts that others judge, whatever way they came by: checks each on its
// own, finds whose it is, maps its times, and appends it to the log of the service's home.
// Thread-safe.
class Alerts {
 public:
  struct Settings {
    // The first of these labels that an alert has names its service, and is then none of its own.
    std::vector<std::string> service_labels = {"service", "job"};
    std::size_t labels = 64;
    std::size_t label_name_bytes = 128;
    std::size_t label_value_bytes = 1024;
    std::size_t identity_bytes = 2048;     // name and labels together
    std::size_t summary_bytes = 500;       // what is longer is cut
    std::size_t description_bytes = 2000;  // likewise
    std::size_t url_bytes = 2000;          // a longer one is left out
  };
  // What became of a request: how many alerts stand in the log, and what is wrong with the others.
  struct Answer {
    std::size_t taken = 0;
    std::vector<std::string> problems;  // a sentence each
  };
  using Done = std::function<void(const Result<Answer>&)>;

  // `core` must outlive it.
  Alerts(Core& core, Settings settings) : core_(core), settings_(std::move(settings)) {}

  // `source`: a word, "alertmanager". `bytes` of the request are held until it is answered. Answers
  // when Kafka has acknowledged all. kUnavailable: not now, send it again; some may stand in the
  // log already, which changes nothing. kDenied: the sender may write none of the services.
  void Take(std::string_view source, ForeignAlerts alerts, std::size_t bytes, const rpc::Peer& peer,
            std::string_view traceparent, Done done);

  // The brokers' time. kUnavailable: nothing can be taken now.
  Result<RealTime> Now() const { return core_.Gate(0); }
  // Counts a request of which no alert was read, as one alert that was refused.
  void CountUnreadable() { core_.CountAlerts(0, 1); }

  // Does it, or one of its labels, name its service?
  bool NamesService(const ForeignAlert& alert) const;

 private:
  // Fills the record's body, or says what is wrong.
  Status Fill(std::string_view source, ForeignAlert& alert, RealTime now,
              v1::ExternalAlert& out) const;
  // Index of the label that names its service; how many there are when none does.
  std::size_t ServiceLabelOf(const ForeignAlert& alert) const;
  // Takes that label away.
  std::string ServiceOf(ForeignAlert& alert) const;
  Status CheckLabels(const ForeignAlert& alert) const;

  Core& core_;
  const Settings settings_;
};

}  // namespace liveops::ingest
