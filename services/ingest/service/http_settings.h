#pragma once

#include "common/config/config.h"
#include "services/ingest/service/http_front.h"

namespace liveops::ingest {

// Keys:
//   http.address            TLS listener, with grpc.ca, grpc.cert and grpc.key
//   http.plain_address      without TLS, e.g. 127.0.0.1:4318; beyond loopback only with http.tokens
//   http.threads            32: of each listener, one a connection
//   http.tokens.NAME        the bearer token of the emitter NAME; where there are any, whoever
//   shows
//                           no certificate must show one
//   http.token_services.NAME  what it may write, names with commas between them; not given: any
//   remote_write.service_labels  [service, job]: the first that a series has names its service
//   remote_write.series     500000: how many series of a sender are remembered
//   remote_write.counters, remote_write.gauges  names of series whose kind Prometheus does not say
//                           and their name would mislead about, e.g. gauges: [db_connection_count]
HttpSettings ReadHttpSettings(config::Reader& reader);

}  // namespace liveops::ingest
