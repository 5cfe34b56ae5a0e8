package deploy_test

import (
	"bytes"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

// kinds are the objects that the manifests use, each with its own type.
var kinds = map[string]func() any{
	"v1/ConfigMap":                       func() any { return new(corev1.ConfigMap) },
	"v1/ServiceAccount":                  func() any { return new(corev1.ServiceAccount) },
	"v1/Service":                         func() any { return new(corev1.Service) },
	"apps/v1/StatefulSet":                func() any { return new(appsv1.StatefulSet) },
	"networking.k8s.io/v1/NetworkPolicy": func() any { return new(networkingv1.NetworkPolicy) },
	"networking.k8s.io/v1/Ingress":       func() any { return new(networkingv1.Ingress) },
}

// objects reads the manifests into Kubernetes' own types: a field that those
// don't have, or of another type, is an error.
func objects(t *testing.T) (all []any) {
	t.Helper()
	for _, document := range bytes.Split(read(t, "kubernetes/loop.yaml"), []byte("\n---\n")) {
		var head struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
		}
		if err := yaml.Unmarshal(document, &head); err != nil {
			t.Fatal(err)
		}
		make, known := kinds[head.APIVersion+"/"+head.Kind]
		if !known {
			t.Fatalf("%s %s is not known to the test", head.APIVersion, head.Kind)
		}
		object := make()
		if err := yaml.UnmarshalStrict(document, object); err != nil {
			t.Fatalf("%s: %v", head.Kind, err)
		}
		all = append(all, object)
	}
	return all
}

func TestKubernetes_EveryNameLeadsToWhatIsThere(t *testing.T) {
	all := objects(t)
	set := find[appsv1.StatefulSet](t, all)
	pod := set.Spec.Template
	container := pod.Spec.Containers[0]
	ports := make(map[string]bool)
	for _, port := range container.Ports {
		ports[port.Name] = true
	}
	services := make(map[string]*corev1.Service)
	for _, object := range all {
		service, ok := object.(*corev1.Service)
		if !ok {
			continue
		}
		services[service.Name] = service
		if !labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(pod.Labels)) {
			t.Errorf("service %s selects no pod", service.Name)
		}
		for _, port := range service.Spec.Ports {
			if !ports[port.TargetPort.String()] {
				t.Errorf("service %s leads to a port %s that is not there", service.Name, port.TargetPort.String())
			}
		}
	}
	if !labels.SelectorFromSet(set.Spec.Selector.MatchLabels).Matches(labels.Set(pod.Labels)) || services[set.Spec.ServiceName] == nil {
		t.Error("the set does not find its pods, or its service")
	}
	for _, rule := range find[networkingv1.Ingress](t, all).Spec.Rules {
		backend := rule.HTTP.Paths[0].Backend.Service
		if services[backend.Name] == nil || !ports[backend.Port.Name] || backend.Port.Name == "operations" {
			t.Errorf("%s leads to %s, port %s", rule.Host, backend.Name, backend.Port.Name)
		}
	}
	volumes := map[string]bool{set.Spec.VolumeClaimTemplates[0].Name: true}
	for _, volume := range pod.Spec.Volumes {
		volumes[volume.Name] = true
	}
	for _, mount := range container.VolumeMounts {
		if !volumes[mount.Name] {
			t.Errorf("there is no volume %s", mount.Name)
		}
	}
}

func TestKubernetes_ThePodIsHardenedAndDrains(t *testing.T) {
	set := find[appsv1.StatefulSet](t, objects(t))
	pod, container := set.Spec.Template.Spec, set.Spec.Template.Spec.Containers[0]
	if !*pod.SecurityContext.RunAsNonRoot || *pod.AutomountServiceAccountToken ||
		*container.SecurityContext.AllowPrivilegeEscalation || !*container.SecurityContext.ReadOnlyRootFilesystem {
		t.Error("the pod may do more than its work")
	}
	if *set.Spec.Replicas != 1 {
		t.Error("a folder has one process")
	}
	const drain = 25 // seconds, as `loop serve` has them
	if leave := container.Lifecycle.PreStop.Sleep.Seconds; *pod.TerminationGracePeriodSeconds < leave+drain+5 {
		t.Errorf("%d seconds are too few to leave and to drain", *pod.TerminationGracePeriodSeconds)
	}
	if container.ReadinessProbe.HTTPGet.Path != "/readyz" || container.LivenessProbe.HTTPGet.Path != "/healthz" {
		t.Error("a pod that can't serve is to be spared, not killed")
	}
}

func find[T any](t *testing.T, all []any) *T {
	t.Helper()
	for _, object := range all {
		if found, ok := object.(*T); ok {
			return found
		}
	}
	t.Fatalf("there is no %T", *new(T))
	return nil
}
