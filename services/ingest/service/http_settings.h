#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "services/ingest/service/alerts.h"
#include "services/ingest/service/remote_writes.h"
#include "services/ingest/source/cloudwatch_alarm/sns_signature.h"
#include "services/ingest/source/cloudwatch_stream/translate.h"
#include "services/ingest/source/cost_report/report.h"

namespace liveops::ingest {

// Whoever shows this token ("Authorization: Bearer …", "Basic …" with the name as the user's, or
// "X-Amz-Firehose-Access-Key: …") is the emitter of this name.
struct HttpToken {
  std::string name;
  std::string secret;
  std::set<std::string> services;  // that it may write; empty = any
};

struct HttpSettings {
  std::string address;                       // TLS with the files of gRPC's listener; "" = none
  std::string plain_address;                 // "" = none; beyond loopback only with tokens
  int threads = 32;                          // of each listener, one a connection
  std::size_t message_bytes_max = 4u << 20;  // of a request, as it comes and decompressed
  std::vector<HttpToken> tokens;
  RemoteWrites::Settings remote_write;
  Alerts::Settings alerts;
  cloudwatch_alarm::SnsSettings sns;
  cloudwatch::TranslatorSettings cloudwatch;
  cost::ReportSettings cost;
  std::size_t cost_report_bytes_max = 64u << 20;  // decompressed

  bool enabled() const { return !address.empty() || !plain_address.empty(); }
};

// Keys:
//   http.address            TLS listener, with grpc.ca, grpc.cert and grpc.key
//   http.plain_address      without TLS, e.g. 127.0.0.1:4318; beyond loopback only with http.tokens
//   http.threads            32: of each listener, one a connection
//   http.tokens.NAME        the bearer token of the emitter NAME; where there are any, whoever
//                           shows no certificate must show one
//   http.token_services.NAME  what it may write, names with commas between them; not given: any
//   remote_write.service_labels  [service, job]: the first that a series has names its service
//   remote_write.series     500000: how many series of a sender are remembered
//   remote_write.counters, remote_write.gauges  names of series whose kind Prometheus does not say
//                           and their name would mislead about, e.g. gauges: [db_connection_count]
//   alerts.service_labels   [service, job]: likewise, that an alert has
//   alerts.sns.certificates PEM files, each of one or more certificates that SNS signs with; where
//                           there are any, a CloudWatch alarm must be signed by one of them
//   alerts.sns.topics       the ARNs whose messages are taken; needed with the former
//   cloudwatch.service      "cloudwatch": whose metrics those are that no rule and no stream names
//   cloudwatch.services     {"DIMENSION=VALUE": SERVICE}, VALUE may end with *: the longest wins
//   cloudwatch.metrics      {"NAMESPACE/METRIC{DIMENSION,…}": "NAME = STATISTIC [* FACTOR] [in
//                           UNIT]; …" or "drop"}: beside what is shipped, or in its place
//   cost.service            "cost": whose the costs are that no tag and no product names
//   cost.tag                "service": the tag whose value is the service
//   cost.services           {PRODUCT: SERVICE}
//   cost.labels             [account, product, region, charge]; also usage_type, resource, tag:NAME
//   cost.settled_after      24h: so long after its end a period is read, 0s to 35h
//   cost.report_bytes       64 MiB: of a report, decompressed
HttpSettings ReadHttpSettings(config::Reader& reader);

}  // namespace liveops::ingest
