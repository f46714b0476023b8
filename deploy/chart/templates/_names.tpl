{{- define "clientela.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "clientela.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "clientela.labels" -}}
{{ include "clientela.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "clientela.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- /* Kinds of processes with their roles: those of the values, or one that does everything. */ -}}
{{- define "clientela.parts" -}}
{{- if .Values.roles -}}
{{- $done := list -}}
{{- range $kind, $part := .Values.roles -}}
{{- $done = concat $done $part.only -}}
{{- end -}}
{{- $wanted := list "service" "scheduler" -}}
{{- if .Values.bus.url -}}
{{- $wanted = list "service" "scheduler" "relay" "inbound" -}}
{{- end -}}
{{- range $wanted -}}
{{- if not (has . $done) -}}
{{- fail (printf "roles: nobody does %s" .) -}}
{{- end -}}
{{- end -}}
{{- range $done -}}
{{- if not (has . $wanted) -}}
{{- fail (printf "roles: %s needs bus.url" .) -}}
{{- end -}}
{{- end -}}
{{- toYaml .Values.roles -}}
{{- else -}}
all:
  only: [service, scheduler, relay, inbound]
  replicas: {{ .Values.replicas }}
{{- end -}}
{{- end -}}

{{- define "clientela.part" -}}
{{ include "clientela.name" . }}{{ with .Kind }}-{{ . }}{{ end }}
{{- end -}}

{{- define "clientela.component" -}}
{{ with .Kind }}app.kubernetes.io/component: {{ . }}{{ end }}
{{- end -}}

{{- define "clientela.calls" -}}
clientela.calls: "true"
{{- end -}}
