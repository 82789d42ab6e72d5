curl -X GET $BASE/v1/providers/packages/manage/$PACKAGE_ID \
  -H "Authorization: Bearer $TOKEN"
