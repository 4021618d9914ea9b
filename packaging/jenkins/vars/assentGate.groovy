// A step of a shared library: assentGate(service: 'edge-dns', environment: 'production', artifact: digest) { deploy }
// It waits for the gate, runs the body with the permit beside it, and records how it ended. Needs the credentials
// `assent-token` (scopes gate and write), the variable ASSENT_SERVER, and `assent` and `jq` on the agent.
def call(Map what, Closure body) {
  withCredentials([string(credentialsId: what.credentials ?: 'assent-token', variable: 'ASSENT_TOKEN')]) {
    withEnv([
      "SERVICE=${what.service}", "ENVIRONMENT=${what.environment}", "ARTIFACT=${what.artifact}", "WAIT=${what.wait ?: '30m'}",
    ]) {
      sh '''
        assent --json gate check --service "$SERVICE" --environment "$ENVIRONMENT" --artifact "$ARTIFACT" --wait "$WAIT" --permit permit.jwt > gate.json || { code=$?; cat gate.json; exit $code; }
      '''
      def outcome = 'failed'
      try {
        body()
        outcome = 'succeeded'
      } finally {
        withEnv(["OUTCOME=${outcome}"]) {
          sh '''
            assent change complete "$(jq -r .change gate.json)" --target "$(jq -r .target gate.json)" --outcome "$OUTCOME"
          '''
        }
      }
    }
  }
}
