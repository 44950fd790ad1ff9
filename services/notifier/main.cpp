#include "common/runtime/service_main.h"
#include "services/notifier/app.h"

int main(int argc, char** argv) {
  namespace service = liveops::notifier;
  return liveops::runtime::ServiceMain<service::AppConfig>(
      {"notifier", "Tells people what fires: once, in order, until it is over."}, argc, argv,
      service::ReadConfig, service::Run);
}
