#include "common/runtime/service_main.h"
#include "services/rule-evaluation/app.h"

int main(int argc, char** argv) {
  namespace service = liveops::evaluation;
  return liveops::runtime::ServiceMain<service::AppConfig>(
      {"rule-evaluation", "Evaluates the alarms of the plans and writes their transitions."}, argc,
      argv, service::ReadConfig, service::Run);
}
