package action

import "testing"

func TestWithin(t *testing.T) {
	tests := []struct {
		workspace, path, want string
		windows               bool
	}{
		{"/home/runner/work/shop", "deploy/green.yaml", "deploy/green.yaml", false},
		{"/home/runner/work/shop", "./deploy/green.yaml", "deploy/green.yaml", false},
		{"/home/runner/work/shop", "/home/runner/work/shop/deploy/green.yaml", "deploy/green.yaml", false},
		{"/home/runner/work/shop/", "/home/runner/work/shop/green.yaml", "green.yaml", false},
		{"/home/runner/work/shop", "/home/runner/work/shop-2/green.yaml", "/home/runner/work/shop-2/green.yaml", false},
		{"", "/etc/green.yaml", "/etc/green.yaml", false},
		{"/w", `a\b.yaml`, `a\b.yaml`, false}, // a name like any other there
		{`D:\a\shop\shop`, `deploy\green.yaml`, "deploy/green.yaml", true},
		{`D:\a\shop\shop`, `.\deploy\green.yaml`, "deploy/green.yaml", true},
		{`D:\a\shop\shop`, `D:\a\shop\shop\deploy\green.yaml`, "deploy/green.yaml", true},
		{`D:\a\shop\shop`, `d:/A/Shop/shop/deploy/green.yaml`, "deploy/green.yaml", true},
		{`D:\a\shop\shop`, `C:\green.yaml`, "C:/green.yaml", true},
	}
	for _, test := range tests {
		around := surroundings{workspace: test.workspace, windows: test.windows}
		if got := around.within(test.path); got != test.want {
			t.Errorf("%s in %s is %q, expected %q", test.path, test.workspace, got, test.want)
		}
	}
}
