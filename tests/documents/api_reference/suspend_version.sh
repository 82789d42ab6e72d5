curl -X POST $BASE/v1/providers/packages/manage/$PACKAGE_ID/versions/$VERSION_ID/suspend \
  -H "Authorization: Bearer $TOKEN"
