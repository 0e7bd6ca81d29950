{{- define "tripdeck.name" -}}
{{- if contains "tripdeck" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-tripdeck" (.Release.Name | trunc 40 | trimSuffix "-") }}{{ end -}}
{{- end }}

{{- define "tripdeck.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "tripdeck.name" .) "default" .Values.serviceAccount.create) -}}
{{- end }}

{{- define "tripdeck.selector" -}}
app.kubernetes.io/name: tripdeck
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "tripdeck.labels" -}}
{{ include "tripdeck.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "tripdeck.image" -}}
{{- $image := index .root.Values.images (ternary "ui" "loader" (eq .role "ui")) -}}
{{- if $image.digest }}{{ $image.repository }}@{{ $image.digest }}{{ else }}{{ $image.repository }}:{{ $image.tag | default .root.Chart.AppVersion }}{{ end -}}
{{- end }}

{{- define "tripdeck.scheme" -}}
{{- ternary "https" "http" .Values.ingress.tls.enabled -}}
{{- end }}

{{/* Settings as the environment: those that follow from the chart, then those of the values. */}}
{{- define "tripdeck.environment" -}}
{{- $root := .root -}}
{{- $environment := dict
  "data_dir" "/tmp"
  "hub_host" "0.0.0.0"
  "ui_host" "0.0.0.0"
  "api_url" (printf "http://%s-hub:8600" (include "tripdeck.name" $root))
  "api_public_url" (printf "%s://%s" (include "tripdeck.scheme" $root) $root.Values.ingress.apiHost)
  "allowed_origins" (printf "[\"%s://%s\"]" (include "tripdeck.scheme" $root) $root.Values.ingress.uiHost)
-}}
{{- if eq .role "ui" }}{{ $_ := set $environment "sign_in_file" "/run/secrets/tripdeck_sign_in.toml" }}{{ end -}}
{{- if eq .role "worker" -}}
{{- $_ := set $environment "worker_metrics_host" "0.0.0.0" -}}
{{- $_ := set $environment "worker_metrics_port" ($root.Values.worker.metricsPort | toString) -}}
{{- end -}}
{{- range $name, $value := merge (dict) $root.Values.settings $environment }}
- {name: TRIPDECK_{{ $name | upper }}, value: {{ $value | quote }}}
{{- end }}
{{- if eq .role "ui" }}
- {name: HOME, value: /tmp}
{{- end }}
{{- if and $root.Values.monitoring.otlpEndpoint (has .role (list "hub" "worker")) }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ $root.Values.monitoring.otlpEndpoint | quote }}}
{{- end }}
{{- end }}

{{/* What each role needs: the setting, and the role of its secret. */}}
{{- define "tripdeck.secrets" -}}
{{- $secrets := .root.Values.secrets -}}
{{- $store := dict "tripdeck_s3_access_key" $secrets.s3AccessKey "tripdeck_s3_secret_key" $secrets.s3SecretKey -}}
{{- $needed := dict -}}
{{- if eq .role "migrate" -}}
{{- $needed = dict "tripdeck_database_url" $secrets.migrateDatabaseUrl -}}
{{- else if eq .role "bucket" -}}
{{- $needed = $store -}}
{{- else if eq .role "worker" -}}
{{- $needed = merge (dict "tripdeck_database_url" $secrets.loadDatabaseUrl "tripdeck_redis_url" $secrets.redisUrl) $store -}}
{{- if $secrets.enginePassword.name }}{{ $_ := set $needed "tripdeck_engine_password" $secrets.enginePassword }}{{ end -}}
{{- else -}}
{{- $needed = merge (dict "tripdeck_database_url" $secrets.databaseUrl "tripdeck_redis_url" $secrets.redisUrl "tripdeck_hub_secret" $secrets.hubSecret) $store -}}
{{- if $secrets.sqlDatabaseUrl.name }}{{ $_ := set $needed "tripdeck_sql_database_url" $secrets.sqlDatabaseUrl }}{{ end -}}
{{- if $secrets.readDatabaseUrl.name }}{{ $_ := set $needed "tripdeck_read_database_url" $secrets.readDatabaseUrl }}{{ end -}}
{{- if eq .role "ui" }}{{ $_ := set $needed "tripdeck_sign_in.toml" $secrets.signIn }}{{ end -}}
{{- end -}}
{{- range $path, $secret := $needed }}
- secret: {name: {{ $secret.name | quote }}, items: [{key: {{ $secret.key | quote }}, path: {{ $path }}}]}
{{- end }}
{{- end }}

{{/* The common part of every pod; containers follow. */}}
{{- define "tripdeck.pod" -}}
serviceAccountName: {{ include "tripdeck.serviceAccount" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext: {runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001, seccompProfile: {type: RuntimeDefault}}
{{- with .root.Values.images.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
volumes:
  - {name: tmp, emptyDir: {medium: Memory, sizeLimit: 256Mi}}
  - name: secrets
    projected:
      defaultMode: 0440
      sources: {{- include "tripdeck.secrets" . | trim | nindent 8 }}
{{- end }}

{{- define "tripdeck.container" -}}
name: {{ .role }}
image: {{ include "tripdeck.image" . | quote }}
imagePullPolicy: {{ .root.Values.images.pullPolicy }}
env: {{- include "tripdeck.environment" . | trim | nindent 2 }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  - {name: secrets, mountPath: /run/secrets, readOnly: true}
securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
{{- end }}

{{/* Where pods of a Deployment go: apart from each other, by zone and by node, as far as there is room. */}}
{{- define "tripdeck.placement" -}}
topologySpreadConstraints:
  {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "tripdeck.selector" $ | nindent 8 }}
  {{- end }}
{{- $values := index .root.Values .role }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
