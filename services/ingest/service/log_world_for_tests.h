#pragma once

#include "services/ingest/service/fake_producer.h"
#include "services/ingest/service/log_counts.h"
#include "services/ingest/service/log_intake.h"
#include "services/ingest/service/log_rules.h"

// For the tests of this folder: what takes log lines beside a Core, on a Kafka of its own.
namespace liveops::ingest {

struct LogWorld {
  explicit LogWorld(Core& core, const LogSettings& settings = {})
      : counts(core, rules), intake(settings, core, producer, rules, counts) {}

  FakeProducer producer;
  LogRules rules;
  LogCounts counts;
  LogIntake intake;
};

}  // namespace liveops::ingest
