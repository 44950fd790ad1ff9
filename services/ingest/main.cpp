#include "common/runtime/service_main.h"
#include "services/ingest/app.h"

int main(int argc, char** argv) {
  namespace service = liveops::ingest;
  return liveops::runtime::ServiceMain<service::AppConfig>(
      {"ingest", "Takes samples by gRPC and OTLP and appends them to Kafka."}, argc, argv,
      service::ReadConfig, service::Run);
}
