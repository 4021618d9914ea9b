{{- define "assent.labels" -}}
app.kubernetes.io/name: assent
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "assent.selector" -}}
app.kubernetes.io/name: assent
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "assent.secret" -}}
{{ .Values.existingSecret | default (printf "%s-assent" .Release.Name) }}
{{- end }}

{{- define "assent.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- /* What would start and then fail, or lose data, is refused here, in words. */ -}}
{{- define "assent.check" -}}
{{- if not .Values.publicUrl }}{{ fail "publicUrl is empty: set it to how the server is reached, such as https://assent.example" }}{{ end }}
{{- if and .Values.embedded.enabled (gt (int .Values.replicas) 1) }}{{ fail "embedded.enabled serves from one volume: set replicas to 1, or give a PostgreSQL database" }}{{ end }}
{{- if and (not .Values.embedded.enabled) (not .Values.existingSecret) (not .Values.secret.database) }}{{ fail "no database: name existingSecret, set secret.database, or set embedded.enabled with replicas 1" }}{{ end }}
{{- if and (not .Values.existingSecret) .Values.secret.database (not .Values.secret.masterKey) }}{{ fail "secret.masterKey is empty: PostgreSQL needs 32 bytes in base64, such as from `openssl rand -base64 32`" }}{{ end }}
{{- end }}

{{- define "assent.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "assent.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- define "assent.env" -}}
- { name: ASSENT_DATA, value: /var/lib/assent }
- { name: ASSENT_LISTEN, value: "0.0.0.0:8080" }
- { name: ASSENT_PUBLIC_URL, value: {{ .Values.publicUrl | quote }} }
{{- range $name, $value := .Values.settings }}
- { name: {{ printf "ASSENT_%s" (upper $name) }}, value: {{ $value | toString | quote }} }
{{- end }}
{{- if not .Values.embedded.enabled }}
- name: ASSENT_DATABASE
  valueFrom: { secretKeyRef: { name: {{ include "assent.secret" . }}, key: database } }
- name: ASSENT_MASTER_KEY
  valueFrom: { secretKeyRef: { name: {{ include "assent.secret" . }}, key: master-key } }
{{- end }}
- name: ASSENT_METRICS_TOKEN
  valueFrom: { secretKeyRef: { name: {{ include "assent.secret" . }}, key: metrics-token, optional: true } }
{{- if hasKey .Values.settings "smtp" }}
- name: ASSENT_SMTP_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ include "assent.secret" . }}, key: smtp-password, optional: true } }
{{- end }}
{{- end }}
