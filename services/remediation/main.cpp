#include "common/runtime/service_main.h"
#include "services/remediation/app.h"

int main(int argc, char** argv) {
  namespace service = liveops::remediation;
  return liveops::runtime::ServiceMain<service::AppConfig>(
      {"remediation", "Proposes what the plan prepared, and runs what a person approved."}, argc,
      argv, service::ReadConfig, service::Run);
}
